#!/usr/bin/env bash
# Makes the environments in which the peers run: benchmarks/peers/setup.sh DIR
set -euo pipefail
folder=${1:?usage: benchmarks/peers/setup.sh DIR}

python3 -m venv "$folder/opencv4" # OpenCV 5 has no cascade classifier
"$folder/opencv4/bin/pip" install 'opencv-python-headless>=4.10,<5'
python3 -m venv "$folder/animeface" # with a later Pillow it finds nothing
"$folder/animeface/bin/pip" install 'animeface==2.0.3' 'pillow<11'
python3 -m venv "$folder/torch"
"$folder/torch/bin/pip" install 'opencv-python-headless>=4.10' 'torch>=2.9'
