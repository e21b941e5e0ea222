#!/usr/bin/env bash
# Makes the environments in which the peers run, and DIR/peers.json for `lafd benchmark --peers`:
#
#   benchmarks/peers/setup.sh DIR [WEIGHTS]
#
# Run it where `lafd[all]` is installed: the graphs of other networks run in the same ONNX Runtime as ours.
# WEIGHTS  folder with lbpcascade_animeface.xml and anime_faceboxes.pth; without it these two are not timed
# MXNet 1.6.0 needs Python 3.8 to 3.11: PYTHON names one (default: python3); without it MXNet is left out.
set -euo pipefail
folder=$(realpath -m "${1:?usage: benchmarks/peers/setup.sh DIR [WEIGHTS]}")
weights=${2:+$(realpath "$2")}
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}

environment() { # NAME PYTHON PACKAGE...
    local name=$1 interpreter=$2
    shift 2
    [ -x "$folder/$name/bin/python" ] || "$interpreter" -m venv "$folder/$name"
    "$folder/$name/bin/pip" install --quiet "$@"
}

environment opencv4 python3 'opencv-python-headless>=4.10,<5' # OpenCV 5 has no cascade classifier
environment animeface python3 'animeface==2.0.3' 'pillow<11' 'numpy>=1.24' # with a later Pillow it finds nothing
environment torch python3 'opencv-python-headless>=4.10' 'torch>=2.9'
if "$python" -c 'import sys; sys.exit(not (3, 8) <= sys.version_info < (3, 12))'; then
    environment mxnet "$python" 'numpy==1.23.5' requests # a later NumPy lacks what it uses
    environment mxnet "$python" --no-deps 'mxnet==1.6.0' # its own pins do not install on this Python
else
    echo "$python is not Python 3.8 to 3.11: MXNet 1.6.0 is left out" >&2
fi

python3 "$here/export_graphs.py" "$folder"

"$folder/torch/bin/python" - "$folder" "$here" "$weights" << 'END'
import json, pathlib, sys

folder, here, weights = map(pathlib.Path, sys.argv[1:])

def peer(environment, adapter, *arguments, **fields):
    python = environment if environment == "lafd" else str(folder / environment / "bin/python")
    return {**fields, "command": [python, str(here / adapter), *arguments]}

def graph(file, multiple, **fields):
    return peer("lafd", "graph.py", str(folder / file), str(multiple), part="network", multiple=multiple, **fields)

random = "random weights, for speed only"
peers = [
    graph("lffd.onnx", 1, name="LFFD 10_320_20L_5scales, ONNX Runtime", gmacs=9.128, note=random),
    graph("yolov8n.onnx", 32, name="layers of YOLOv8n, ONNX Runtime", gmacs=4.041, note=random),
    graph("yolov8s.onnx", 32, name="layers of YOLOv8s, ONNX Runtime", gmacs=14.216, note=random),
    peer("animeface", "animeface_2009.py", name="animeface 2.0.3", part="detect", accuracy="animeface"),
]
if (folder / "mxnet").exists():
    peers.insert(1, peer("mxnet", "lffd_mxnet.py", name="LFFD 10_320_20L_5scales, MXNet 1.6.0", part="network", gmacs=9.128, note=random))
if sys.argv[3]:
    peers += [
        peer("opencv4", "lbpcascade.py", str(weights / "lbpcascade_animeface.xml"), name="LBP cascade, OpenCV 4", part="detect", accuracy="lbpcascade"),
        peer("torch", "faceboxes.py", str(weights / "anime_faceboxes.pth"), name="AnimeFaceBoxes, torch", part="detect", accuracy="faceboxes"),
    ]
(folder / "peers.json").write_text(json.dumps(peers, indent=1) + "\n")
END
echo "wrote $folder/peers.json"
