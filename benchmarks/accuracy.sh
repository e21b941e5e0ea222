#!/usr/bin/env bash
# Measures every shipped model and every peer on annotated pictures, and writes benchmarks/accuracy/.
#
#   COCO=val.json WEIGHTS=peers ENVIRONMENTS=build/peers benchmarks/accuracy.sh
#
# COCO          annotated pictures
# WEIGHTS       folder with lbpcascade_animeface.xml and anime_faceboxes.pth
# ENVIRONMENTS  folder that benchmarks/peers/setup.sh made
# DETECTIONS    folder that keeps what the peers found; a file that is there is not made again
# MODELS        names of our models, in quotes (default: all of them)
# THREADS       threads for our models (default: one per core)
set -euo pipefail
: "${COCO:?}" "${WEIGHTS:?}" "${ENVIRONMENTS:?}" "${DETECTIONS:=build/detections}"
here=$(dirname "$0")
mkdir -p "$DETECTIONS"
mapfile -t pictures < <(python -c '
import json, pathlib, sys
coco = pathlib.Path(sys.argv[1])
print(*(coco.parent / image["file_name"] for image in json.loads(coco.read_text())["images"]), sep="\n")' "$COCO")

peer() { # NAME COMMAND...: at the scale of the pictures, and enlarged
    local name=$1 scale
    shift
    for scale in 1 2; do
        local file=$DETECTIONS/$name$([ $scale = 1 ] || echo "-${scale}x").jsonl
        if [ ! -e "$file" ]; then
            "$@" --scale $scale "${pictures[@]}" > "$file.part" && mv "$file.part" "$file"
        fi
        lafd evaluate "$COCO" --detections "$file" --correct-boxes -o "$here/accuracy/$(basename "$file" .jsonl)" > /dev/null
    done
}

peer lbpcascade "$ENVIRONMENTS/opencv4/bin/python" "$here/peers/lbpcascade.py" "$WEIGHTS/lbpcascade_animeface.xml"
peer animeface "$ENVIRONMENTS/animeface/bin/python" "$here/peers/animeface_2009.py"
peer faceboxes "$ENVIRONMENTS/torch/bin/python" "$here/peers/faceboxes.py" "$WEIGHTS/anime_faceboxes.pth"

all=$(lafd models --format json | python -c 'import json, sys; print(*(m["name"] for m in json.load(sys.stdin)))')
for model in ${MODELS-$all}; do
    lafd evaluate "$COCO" --model "$model" --sizes 256,320,384,512,640,896,1280 --angles --bootstrap 100 \
        ${THREADS:+--threads "$THREADS"} -o "$here/accuracy/$model" > /dev/null
done
python "$here/compare_accuracy.py" "$here/accuracy"
