"""The command `lafd`: one file per subcommand, each of which parses, calls and prints."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from lafd import __version__
from lafd.errors import LafdError, UsageError

COMMANDS = {
    "detect": "find faces in pictures and folders",
    "crop": "cut faces out of pictures, or frame pictures around them",
    "convert": "turn annotations from one file format into another",
    "check": "find faults of annotated pictures",
    "video": "find faces in a film, a stream or a webcam, and write it with them",
    "webcam": "show the faces in front of a webcam, in a window",
    "view": "look through pictures with their faces, in a window",
    "models": "list the models",
    "demo": "draw a picture, find its faces, write both",
    "serve": "find faces over HTTP",
    "web": "serve or write out the page that finds faces in the browser",
    "prelabel": "label pictures for a person to correct, doubtful ones first",
    "pseudo-label": "label pictures for training on the labels",
    "review": "correct boxes by hand, in the browser",
    "train": "train a model on annotated pictures",
    "evaluate": "measure a model on annotated pictures",
    "benchmark": "measure how long detection takes",
    "export": "turn a training checkpoint into an ONNX model",
    "quantize": "turn an ONNX model into one of eight bits",
    "import-mxnet": "turn weights of the original detectors into an ONNX model",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status: 0, 1 for failed work, 2 for wrong usage."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser("lafd", description="Finds faces in anime pictures.")
    parser.add_argument("--version", action="version", version=f"lafd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        if name == chosen:  # only the command that runs is imported
            module = importlib.import_module(f"lafd.cli.{name.replace('-', '_')}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except UsageError as error:
        print(f"lafd: {error}", file=sys.stderr)
        return 2
    except LafdError as error:
        print(f"lafd: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lafd: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
