"""`lafd train`: a model from annotated pictures."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from lafd.cli.extras import need
from lafd.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="PATH",
        help="annotations of any format (see docs/annotations.md)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the run; a run in it is continued"
    )
    parser.add_argument("--val", type=Path, nargs="+", metavar="PATH", help="annotations to judge by")
    parser.add_argument(
        "--holdout",
        type=float,
        default=0.0,
        help="judge by this share of the sources, if nothing else is there to judge by (0 to 0.5)",
    )
    parser.add_argument(
        "--sprites", type=Path, metavar="JSON", help="characters with transparency to compose onto pictures"
    )
    parser.add_argument(
        "--repeat",
        nargs="*",
        default=[],
        metavar="TAG=N",
        help="show pictures with this style or tag N times as often",
    )
    parser.add_argument(
        "--init",
        type=Path,
        metavar="FILE",
        help="start from these weights (.safetensors), of the same network or of a smaller one",
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="learn also from what a larger network (.safetensors) says of the pictures",
    )
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument("--model", default="base", help="nano, base, accurate, or lffd (default: base)")
    recipe.add_argument(
        "--loss",
        choices=("lafd", "lffd"),
        default="lafd",
        help="ours, or that of LFFD's paper with --model lffd (default: lafd)",
    )
    recipe.add_argument("--steps", type=int, default=20_000, help="optimiser steps (default: 20000)")
    recipe.add_argument(
        "--batch",
        type=int,
        default=16,
        help="pictures per step and process at the first size (default: 16)",
    )
    recipe.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[320],
        metavar="PX",
        help="sides of training pictures, px, by turns (default: 320)",
    )
    recipe.add_argument(
        "--plain",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="pictures shown whole and mostly unchanged; much of it in a last, short stage (default: 0)",
    )
    recipe.add_argument(
        "--turned",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="pictures turned by quarters of a circle, which a --teacher sees upright (default: 0)",
    )
    recipe.add_argument(
        "--learning-rate", type=float, default=2e-3, help="highest learning rate (default: 0.002)"
    )
    recipe.add_argument("--weight-decay", type=float, default=0.05, help="default: 0.05")
    recipe.add_argument(
        "--averaging", type=float, default=0.9995, help="decay of the averaged weights (default: 0.9995)"
    )
    recipe.add_argument(
        "--seed", type=int, default=0, help="decides the first weights and every picture (default: 0)"
    )
    recipe.add_argument(
        "--warm-up", type=int, default=300, help="steps until the highest learning rate (default: 300)"
    )
    recipe.add_argument(
        "--validate-every", type=int, default=1000, help="steps between validations (default: 1000)"
    )
    recipe.add_argument(
        "--save-every", type=int, default=250, help="steps that a kill can cost at most (default: 250)"
    )
    recipe.add_argument(
        "--validation-size",
        type=int,
        default=640,
        help="longer side of validation pictures, px (default: 640)",
    )
    recipe.add_argument(
        "--workers",
        type=int,
        default=0,
        help="processes that prepare pictures (default: 0, in the training one)",
    )
    recipe.add_argument(
        "--threads",
        type=int,
        default=0,
        help="threads that compute, per process (default: as torch finds best)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Reads the data and trains to the last step."""
    need("train")
    from lafd.training import samples
    from lafd.training.loop import Data, Recipe, Run

    if not 0 <= arguments.holdout <= 0.5:
        raise UsageError(f"holdout must be between 0 and 0.5, not {arguments.holdout}.")
    for name in ("plain", "turned"):
        if not 0 <= getattr(arguments, name) <= 1:
            raise UsageError(f"{name} must be between 0 and 1, not {getattr(arguments, name)}.")
    settings = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Recipe)}
    recipe = Recipe(**settings | {"sizes": tuple(arguments.sizes)})
    if any(side < 64 or side % 32 for side in recipe.sizes):
        raise UsageError(
            f"sizes must be multiples of 32, at least 64, not {' '.join(map(str, recipe.sizes))}."
        )
    given = [sample for path in arguments.data for sample in samples.read_samples(path)]
    train, validation = samples.split_as_annotated(given)
    if arguments.val:
        validation = [sample for path in arguments.val for sample in samples.read_samples(path)]
    elif not validation:
        train, validation = samples.split_by_source(train, arguments.holdout)
    sprites = samples.read_sprites(arguments.sprites) if arguments.sprites else []
    if not any((~sample.ignore).any() for sample in train):
        raise UsageError(f"no faces to learn from in {', '.join(map(str, arguments.data))}.")
    samples.check_pictures([*train, *validation])
    arguments.out.mkdir(parents=True, exist_ok=True)
    Run(
        recipe,
        Data(samples.repeat(train, tag_counts(arguments.repeat)), validation, sprites, arguments.teacher),
        arguments.out,
        arguments.init,
    ).train()
    return 0


def tag_counts(arguments: list[str]) -> dict[str, int]:
    """{"manga": 3} from ["manga=3"]."""
    counts = {}
    for argument in arguments:
        tag, _, count = argument.partition("=")
        if not (tag and count.isdigit() and int(count) > 0):
            raise UsageError(f"--repeat takes TAG=N with N at least 1, not {argument!r}.")
        counts[tag] = int(count)
    return counts
