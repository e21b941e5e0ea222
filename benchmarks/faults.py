"""Runs damaged and hostile files through detection, cropping, the service and the annotation readers.

    python benchmarks/faults.py -o benchmarks/faults

makes 10,000 damaged pictures, every hostile one and 3,000 damaged annotation files of tests/, one after the other, and
writes faults.json and faults.md. A run that is stopped goes on where it ended if the folder has its log.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import selectors
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

SEED = 0
MAX_PIXELS = 20_000_000
SECONDS = 5.0  # of processor time for one file; the wall clock says little on a busy machine
PATIENCE = 240.0  # of wall time, for a file that waits instead of working
MEGABYTES = 1500  # that the process may have while it is at one file
TARGETS = ("detect", "all frames", "crop", "service", "annotations")

Result = dict[str, Any]


def main() -> int:
    """Runs what is not done yet and writes the report; returns 1 if there is any fault."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the report")
    parser.add_argument("--pictures", type=int, default=10_000, help="damaged ones (default: 10000)")
    parser.add_argument("--annotations", type=int, default=3_000, help="damaged ones (default: 3000)")
    parser.add_argument(
        "--without-opencv", action="store_true", help="detect and crop as where it is not installed"
    )
    parser.add_argument("--work", metavar="SERVICE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(arguments.work, arguments.without_opencv)
    from hostile import hostile

    items = [f"picture {n}" for n in range(arguments.pictures)] + [f"hostile {name}" for name in hostile()]
    items += [f"annotations {n}" for n in range(arguments.annotations)]
    arguments.output.mkdir(parents=True, exist_ok=True)
    log = arguments.output / "faults.log"
    done = {json.loads(line)["item"] for line in log.read_text().splitlines()} if log.exists() else set()
    with log.open("a") as stream:
        for result in results([item for item in items if item not in done], arguments.without_opencv):
            stream.write(json.dumps(result) + "\n")
            stream.flush()
    wanted = set(items)
    found = [r for r in map(json.loads, log.read_text().splitlines()) if r["item"] in wanted]
    report = summary(found, arguments)
    (arguments.output / "faults.json").write_text(json.dumps(report, indent=2) + "\n")
    (arguments.output / "faults.md").write_text(markdown(report))
    return 1 if report["faults"] else 0


# The side that asks


def results(items: list[str], without_opencv: bool) -> Iterator[Result]:
    """What became of each item, in a worker that is replaced when it crashes or hangs."""
    from serving import serving

    if not items:
        return
    with serving("--max-pixels", MAX_PIXELS) as service:
        process = service_process(service.process.pid)
        worker = Worker(service.url, process, ["--without-opencv"] * without_opencv)
        for item in items:
            yield worker.do(item)
            if not Path(f"/proc/{process}").exists():
                raise SystemExit(f"the service died over {item}: {service.log[-5:]}")


def service_process(supervisor: int) -> int:
    """The process of a service that does its work."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    return next(
        int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    )


class Worker:
    """A process that goes through files, and starts again when it ends."""

    def __init__(self, url: str, service: int, options: list[str]) -> None:
        self.command = [sys.executable, __file__, "-o", ".", "--work", f"{url} {service}", *options]
        self.start()

    def start(self) -> None:
        """Starts the process."""
        self.process = subprocess.Popen(  # noqa: S603
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.selector = selectors.DefaultSelector()
        assert self.process.stdout is not None
        self.selector.register(self.process.stdout, selectors.EVENT_READ)

    def do(self, item: str) -> Result:
        """The result of an item."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(item + "\n")
        self.process.stdin.flush()
        hung = not self.selector.select(PATIENCE)
        line = "" if hung else self.process.stdout.readline()
        if line:
            return dict(json.loads(line))
        self.process.kill()
        status = self.process.wait()
        self.start()
        return {
            "item": item,
            "fault": f"no answer in {PATIENCE:g} s" if hung else f"crashed with status {status}",
        }


# The side that works


def work(service: str, without_opencv: bool) -> int:
    """Does the items on standard input."""
    if without_opencv:
        import damage  # noqa: F401 - its pictures are drawn with OpenCV
        from lafd import images, transform

        images.cv2 = transform.cv2 = None
    url, process = service.split()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # decoders print
    with tempfile.TemporaryDirectory() as folder:
        targets = Targets(Path(folder), url, int(process))
        for line in sys.stdin:
            answers.write(json.dumps(targets.result(line.rstrip("\n"))) + "\n")
            answers.flush()
    return 0


class Targets:
    """What the files go through."""

    def __init__(self, folder: Path, url: str, service: int) -> None:
        from hostile import hostile
        from lafd import Detector

        self.folder, self.url, self.service = folder, url, service
        self.hostile, self.detector = hostile(), Detector(threads=1)

    def result(self, item: str) -> Result:
        """Makes the file of an item and does everything with it."""
        kind, _, name = item.partition(" ")
        if kind == "annotations":
            return {"item": item, **self.annotations(int(name))}
        from damage import damaged

        what, data = damaged(int(name), SEED) if kind == "picture" else (name, self.hostile[name]())
        path = self.folder / "picture"
        path.write_bytes(data)
        found = {
            "detect": measured(lambda: self.detect(path, all_frames=False), os.getpid()),
            "crop": measured(lambda: self.crop(path), os.getpid()),
            "service": measured(lambda: self.ask(data), self.service),
        }
        if (
            "frames" not in name
        ):  # those that are all about frames would take hours, as they would in any player
            found["all frames"] = measured(lambda: self.detect(path, all_frames=True), os.getpid())
        return {"item": item, "what": what, "bytes": len(data), "targets": found}

    def detect(self, path: Path, *, all_frames: bool) -> str:
        """Detects as `lafd detect` does."""
        from lafd import Options
        from lafd.pipeline import Work, detect_files

        options = Options(size=128, max_pixels=MAX_PIXELS)
        given = list(detect_files(self.detector, [path], options, Work(all_frames=all_frames)))
        return next((r.error for r in given if r.error), "read")

    def crop(self, path: Path) -> str:
        """Crops as `lafd crop --frame 1:1` does."""
        from lafd import Options
        from lafd.crop import CropRule
        from lafd.crop_files import Cropper, DetectedSource, Shape
        from lafd.crop_names import Template
        from lafd.errors import LafdError

        source = DetectedSource(self.detector, Options(size=128, max_pixels=MAX_PIXELS))
        cropper = Cropper(
            self.folder / "crops", Template("{stem}", False), Shape(CropRule(), frame=1.0), (".png", 90)
        )
        try:
            cropper.crop(path, "picture", source.find(path))
        except LafdError as error:
            return str(error)
        return "read"

    def ask(self, data: bytes) -> str:
        """Sends the file to the service."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/v1/detect?size=128", data, {"Content-Type": "application/octet-stream"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
                json.load(answer)
                return "read"
        except urllib.error.HTTPError as error:
            text = str(json.load(error)["error"])
            if error.code != 422:
                raise AssertionError(f"status {error.code}: {text}") from None
            return text

    def annotations(self, number: int) -> Result:
        """Reads damaged annotations and writes them in another format."""
        from damaged_annotations import damaged_annotations
        from lafd.annotations import FORMATS, read_annotations, write_annotations
        from lafd.errors import LafdError

        what, kind, files = damaged_annotations(number, SEED)

        def convert() -> str:
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                for name, data in files.items():
                    (Path(folder, "in", name).parent).mkdir(parents=True, exist_ok=True)
                    Path(folder, "in", name).write_bytes(data)
                file = {"coco": "a.json", "label-studio": "a.json", "cvat": "annotations.xml"}.get(kind, "")
                other = list(FORMATS)[number // len(FORMATS) % len(FORMATS)]
                target = Path(folder, "out" if other in ("yolo", "voc", "labelme") else "out.x")
                try:
                    data_set = read_annotations(Path(folder, "in", file), kind if number % 2 else None)
                    for problem in data_set.problems:
                        reason_of(problem)
                    write_annotations(data_set, target, other)
                except LafdError as error:
                    return str(error).replace(folder, "")
                return "read, with problems listed" if data_set.problems else "read"

        return {"what": what, "targets": {"annotations": measured(convert, os.getpid())}}


def measured(step: Callable[[], str], process: int) -> Result:
    """The outcome of a step, with the processor time and the highest memory of the process that does it."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/clear_refs").write_text("5")
    before = processor_seconds(process)
    fault = None
    try:
        outcome = reason_of(step())
    except Exception as error:  # what is no clear reason is a fault
        outcome, fault = "fault", f"{type(error).__name__}: {error}"[:300]
    status = Path(f"/proc/{process}/status").read_text()
    peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    spent = round(processor_seconds(process) - before, 3)
    if fault is None and spent > SECONDS:
        fault = f"took {spent:.1f} s of processor time"
    if fault is None and peak > MEGABYTES:
        fault = f"took {peak} MB"
    return {"outcome": outcome, "seconds": spent, "megabytes": peak, **({"fault": fault} if fault else {})}


def processor_seconds(process: int) -> float:
    """Processor time of all threads of a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reason_of(text: str) -> str:
    """The kind of an outcome: the reason without names, numbers and quotations; checks that it is clear."""
    if not 4 <= len(text) <= 1000 or not text.isprintable():
        raise AssertionError(f"not a clear sentence: {text[:200]!r}")
    reason = re.sub(r"^cannot read [^:]*: |^[^ ]*: ", "", text)
    reason = re.sub(r"\(.*|'.*|\"[^\"]*\"", "", reason, flags=re.DOTALL)
    return re.sub(r"\d+", "N", reason).strip(" .")[:80]


# The report


def summary(found: list[Result], arguments: argparse.Namespace) -> Result:
    """Counts by target."""
    import numpy
    import PIL

    from lafd import __version__

    targets: dict[str, Any] = {}
    faults = [{"item": r["item"], "fault": r["fault"]} for r in found if "fault" in r]
    for target in TARGETS:
        steps = [(r, r["targets"][target]) for r in found if target in r.get("targets", {})]
        if not steps:
            continue
        faults += [
            {"item": r["item"], "target": target, "fault": s["fault"]} for r, s in steps if "fault" in s
        ]
        slowest, largest = (
            max(steps, key=lambda s: s[1]["seconds"]),
            max(steps, key=lambda s: s[1]["megabytes"]),
        )
        targets[target] = {
            "files": len(steps),
            "outcomes": dict(Counter(s["outcome"] for _, s in steps).most_common()),
            "slowest": {"seconds": slowest[1]["seconds"], "what": slowest[0]["what"]},
            "largest": {"megabytes": largest[1]["megabytes"], "what": largest[0]["what"]},
        }
    return {
        "command": f"python benchmarks/faults.py -o {arguments.output} --pictures {arguments.pictures} "
        f"--annotations {arguments.annotations}" + " --without-opencv" * arguments.without_opencv,
        "date": time.strftime("%Y-%m-%d"),
        "versions": {"lafd": __version__, "Pillow": PIL.__version__, "NumPy": numpy.__version__},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "limits": {"seconds": SECONDS, "megabytes": MEGABYTES, "max_pixels": MAX_PIXELS},
        "files": len(found),
        "kinds": dict(Counter(r["item"].split()[0] for r in found)),
        "targets": targets,
        "faults": faults,
    }


def markdown(report: Result) -> str:
    """The report for people."""
    limits, kinds = report["limits"], report["kinds"]
    lines = [
        "# Damaged and hostile files",
        "",
        f"Made by `{report['command']}` on {report['date']}: {kinds.get('picture', 0)} damaged pictures, "
        f"{kinds.get('hostile', 0)} hostile ones and {kinds.get('annotations', 0)} damaged annotation files. "
        f"A fault is a crash, any exception but one clear sentence, more than {limits['seconds']:g} s of processor "
        f"time or more than {limits['megabytes']} MB; pictures of more than {limits['max_pixels']} pixels are refused.",
        "",
        f"**{len(report['faults'])} faults in {report['files']} files.**",
        "",
        "| target | files | read | refused with a reason | slowest, s | most memory, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, target in report["targets"].items():
        read = sum(count for outcome, count in target["outcomes"].items() if outcome.startswith("read"))
        faults = sum(fault.get("target") == name for fault in report["faults"])
        lines.append(
            f"| {name} | {target['files']} | {read} | {target['files'] - read - faults} "
            f"| {target['slowest']['seconds']:.2f} | {target['largest']['megabytes']} |"
        )
    for fault in report["faults"]:
        lines += ["", f"- {fault['item']}, {fault.get('target', 'the process')}: {fault['fault']}"]
    for name, target in report["targets"].items():
        lines += ["", f"## {name.capitalize()}", "", f"The slowest: {target['slowest']['what']}.", ""]
        lines += ["| outcome | files |", "| --- | ---: |"]
        lines += [
            f"| {outcome.replace('|', ' ')} | {count} |" for outcome, count in target["outcomes"].items()
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
