"""`lafd serve`: detection over HTTP."""

from __future__ import annotations

import argparse
import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lafd import models
from lafd.cli.extras import need
from lafd.cli.options import add_sandbox_arguments, sandbox, worker_count
from lafd.errors import UsageError
from lafd.runtime import DEVICES

if TYPE_CHECKING:
    from lafd.serve.settings import Settings

KEYS_VARIABLE = "LAFD_API_KEYS"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    from lafd.serve.settings import Settings

    default = Settings()
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this machine only)"
    )
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (default: 8000)")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the port (default: 1)")
    parser.add_argument(
        "--threads", type=int, help="detecting threads of each process (default: cores / workers)"
    )
    parser.add_argument(
        "--model",
        action="append",
        help="name or path of an .onnx file; several times for several, the default first",
    )
    parser.add_argument(
        "--device", default="auto", metavar="DEVICE", help=f"one of {', '.join(DEVICES)} (default: auto)"
    )
    group = parser.add_argument_group("limits, of each process")
    group.add_argument(
        "--latency-budget",
        type=float,
        default=default.latency_budget * 1000,
        metavar="MS",
        help="a batch may take so long (default: %(default)g)",
    )
    group.add_argument(
        "--max-queue",
        type=int,
        default=default.max_queue,
        metavar="N",
        help="pictures that may wait (default: %(default)s)",
    )
    group.add_argument(
        "--max-body",
        type=int,
        default=default.max_body // 2**20,
        metavar="MIB",
        help="size of a request (default: %(default)s)",
    )
    group.add_argument(
        "--max-pixels",
        type=int,
        default=default.max_pixels,
        metavar="N",
        help="of one picture (default: %(default)s)",
    )
    group.add_argument(
        "--max-pictures",
        type=int,
        default=default.max_pictures,
        metavar="N",
        help="of one request (default: %(default)s)",
    )
    group.add_argument(
        "--max-size",
        type=int,
        default=default.max_size,
        metavar="PX",
        help="longer side of the network's input (default: %(default)s)",
    )
    group.add_argument(
        "--timeout",
        type=float,
        default=default.timeout,
        metavar="S",
        help="one request may take so long (default: %(default)g)",
    )
    group = parser.add_argument_group("access")
    group.add_argument(
        "--api-keys",
        type=Path,
        metavar="FILE",
        help=f"one key per line; or the variable {KEYS_VARIABLE}, keys separated by commas",
    )
    group.add_argument(
        "--cors-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this site call the service",
    )
    add_sandbox_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Checks everything that can be wrong, then serves until a signal comes."""
    need("serve")
    from lafd.serve.server import serve

    if arguments.workers < 1:
        raise UsageError(f"workers must be at least 1, not {arguments.workers}.")
    settings = make_settings(arguments)
    for model in settings.models:  # a worker that fails at its start would only say so in the log
        models.load_card(models.find_model(model))
    serve(settings, arguments.host, arguments.port, arguments.workers)
    return 0


def make_settings(arguments: argparse.Namespace) -> Settings:
    """The settings that the arguments and the environment make."""
    from lafd.serve.settings import Settings, digests

    threads = arguments.threads
    if threads is None:
        threads = max(1, worker_count(arguments) // arguments.workers)
    names = [field.name for field in dataclasses.fields(Settings) if field.name.startswith("max_")]
    limits = {name: getattr(arguments, name) for name in names if name != "max_body"}
    return Settings(
        models=tuple(arguments.model or [models.DEFAULT_MODEL]),
        device=arguments.device,
        threads=threads,
        latency_budget=arguments.latency_budget / 1000,
        max_body=arguments.max_body * 2**20,
        timeout=arguments.timeout,
        key_digests=digests(given_keys(arguments.api_keys)),
        cors_origins=tuple(arguments.cors_origin),
        sandbox=sandbox(arguments),
        **limits,
    )


def given_keys(file: Path | None) -> list[str]:
    """The keys of the file, or else of the environment; comments (#) and empty lines are left out."""
    if file is None:
        return [key.strip() for key in os.environ.get(KEYS_VARIABLE, "").split(",") if key.strip()]
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file}: the API keys cannot be read ({getattr(error, 'strerror', None) or error})."
        ) from None
    keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not keys:
        raise UsageError(f"{file}: there is no API key in it; write one per line.")
    return keys
