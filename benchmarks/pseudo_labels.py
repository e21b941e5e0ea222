"""Measures what pseudo-labels gain: a network is trained on with reviewed pictures, once alone and once with others.

    python benchmarks/pseudo_labels.py DATA/train.json DATA/val.json --init nano.safetensors -o benchmarks/pseudo_labels

Pictures of the first file whose entry says `"reviewed": false` are labelled by `lafd pseudo-label`; their own labels
are not used. Both trainings take the same number of steps, pictures of the same 8 % of sources are held out of both,
and their last weights are judged on the second file, which decides nothing. It writes `pseudo_labels.json` and `.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lafd.benchmark.report import measured, signature, write_both
from lafd.evaluation.text import table
from lafd.training.samples import read_samples, split_by_source

HELD_OUT = 0.08
FIGURES = ("AP50", "AP75", "AP[.5:.95]", "recall at 1 false positive per picture")
REPEAT = ("manga=4", "sketch=3", "profile=3", "rotated=2", "occluded=2", "crowd=2", "tiny=2", "hard=3")
RECIPE = (
    "--sizes", "320", "512", "--batch", "16", "--learning-rate", "1.2e-3", "--warm-up", "200", "--averaging", "0.9995",
    "--threads", "1", "--repeat", *REPEAT,
)  # fmt: skip


def lafd(*arguments: object, processes: int = 1) -> None:
    """Runs a command of lafd; one that fails ends this."""
    command = [sys.executable, "-m", "lafd"]
    if processes > 1:
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        command = [sys.executable, "-m", *launcher, "-m", "lafd"]
    if subprocess.run([*command, *map(str, arguments)], check=False).returncode:  # noqa: S603
        raise SystemExit(f"lafd {arguments[0]} failed.")


def divide(data: Path, folder: Path) -> tuple[Path, Path]:
    """Files with the reviewed pictures, the held-out ones as split "val", and with the others, without labels."""
    coco = json.loads(data.read_text(encoding="utf-8"))
    _, held = split_by_source(read_samples(data), HELD_OUT)
    held_sources = {sample.source for sample in held}
    reviewed, others = [], []
    for image in coco["images"]:
        image["file_name"] = os.path.relpath(data.parent / image["file_name"], folder)
        split = "val" if image["source"] in held_sources else "train"
        if image["reviewed"]:
            reviewed.append({**image, "split": split})
        elif split == "train":
            others.append(image)
    paths = folder / "reviewed.json", folder / "others.json"
    for path, images in zip(paths, (reviewed, others), strict=True):
        ids = {image["id"] for image in images} if images is reviewed else set()
        labels = [label for label in coco["annotations"] if label["image_id"] in ids]
        content = {"images": images, "annotations": labels, "categories": coco["categories"]}
        path.write_text(json.dumps(content), encoding="utf-8")
    return paths


def train(data: list[Path], out: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Trains, and returns the figures of the last weights on the pictures to judge by."""
    sprites = ("--sprites", arguments.sprites) if arguments.sprites else ()
    goal = ("--out", out, "--model", arguments.model, "--init", arguments.init)
    steps = ("--steps", arguments.steps, "--validate-every", arguments.steps)
    processes = len(os.sched_getaffinity(0))
    lafd("train", "--data", *data, *goal, *steps, *sprites, *RECIPE, processes=processes)
    lafd("export", out / "best.safetensors", "-o", out / "model.onnx")
    lafd("evaluate", arguments.val, "--model", out / "model.onnx", "-o", out / "report")
    summary = json.loads((out / "report" / "report.json").read_text(encoding="utf-8"))["figures"]["summary"]
    return {name: summary[name] for name in FIGURES}


def markdown(report: dict[str, Any]) -> str:
    """The report for people."""

    def shown(figure: dict[str, float]) -> str:
        return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"

    rows = [(name, *(shown(run[name]) for run in report["runs"].values())) for name in FIGURES]
    lines = [
        "# What pseudo-labels gain",
        "",
        f"A network `{report['model']}` is trained {report['steps']} steps further, on {report['reviewed']} reviewed "
        f"pictures alone, and on them and {report['others']} others that `{report['teacher']}` has labelled: "
        f"{report['kept']} faces, {report['doubtful']} doubtful boxes that count as neither.",
        "",
        "In brackets: 95 % intervals.",
        "",
        *table(("figure", *report["runs"]), rows),
        "",
        f"{signature(report)} Command: `{report['command']}`.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Labels, trains twice, judges and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "data", type=Path, metavar="TRAIN", help="COCO, pictures with `source` and `reviewed`"
    )
    parser.add_argument("val", type=Path, metavar="VAL", help="annotations to judge by")
    parser.add_argument("--init", type=Path, required=True, help="weights to start from (.safetensors)")
    parser.add_argument("--model", default="nano", help="their layout (default: nano)")
    parser.add_argument("--teacher", default="base", help="model that labels (default: base)")
    parser.add_argument("--sprites", type=Path, help="as of lafd train")
    parser.add_argument("--steps", type=int, default=2500, help="of each training (default: 2500)")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs/pseudo"), help="folder for what is in between"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the report")
    arguments = parser.parse_args()
    arguments.runs.mkdir(parents=True, exist_ok=True)
    reviewed, others = divide(arguments.data, arguments.runs)
    labelled = arguments.runs / "pseudo.json"
    lafd("pseudo-label", "--annotations", others, "-o", labelled, "--model", arguments.teacher)
    runs = {
        "reviewed alone": train([reviewed], arguments.runs / "alone", arguments),
        "with pseudo-labels": train([reviewed, labelled], arguments.runs / "with", arguments),
    }
    pseudo = json.loads(labelled.read_text(encoding="utf-8"))
    doubtful = sum(label["iscrowd"] for label in pseudo["annotations"])
    report = {
        "command": f"python benchmarks/pseudo_labels.py {arguments.data.name} {arguments.val.name} --init "
        f"{arguments.init.name}{f' --sprites {arguments.sprites.name}' if arguments.sprites else ''} "
        f"--steps {arguments.steps} -o benchmarks/pseudo_labels",
        **measured(),
        "model": arguments.model,
        "teacher": arguments.teacher,
        "steps": arguments.steps,
        "reviewed": sum(i["split"] == "train" for i in json.loads(reviewed.read_text())["images"]),
        "others": len(pseudo["images"]),
        "kept": len(pseudo["annotations"]) - doubtful,
        "doubtful": doubtful,
        "runs": runs,
    }
    write_both(arguments.output / "pseudo_labels", report, markdown(report))


if __name__ == "__main__":
    main()
