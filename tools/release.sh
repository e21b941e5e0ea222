#!/bin/sh
# Builds a release into a new folder: wheel, source archive, bill of materials, and the SHA-256 of each.
# Usage: tools/release.sh DIR, in an environment that has requirements.lock installed; PYTHON names another one.
# Everything is built twice, from the checkout and from the source archive in another place, and must come out the same.
set -eu

target=$1
python=${PYTHON:-python}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$target"
target=$(cd "$target" && pwd)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1580601600}"

"$python" -m hatchling build -d "$target"
tar -xzf "$target"/lafd-*.tar.gz -C "$work"
(umask 077 && cd "$work"/lafd-* && find . -type f -exec touch {} + && "$python" -m hatchling build -d "$work/again")
for file in "$target"/*; do
    cmp "$file" "$work/again/$(basename "$file")"
done

wheel=$(basename "$target"/lafd-*.whl)
size=$(wc -c < "$target/$wheel")
echo "$wheel: $size bytes"
[ "$size" -lt 12000000 ] || { echo "the wheel is larger than 12 MB" >&2; exit 1; }

"$python" tools/sbom.py "$target/${wheel%-py3-none-any.whl}.cdx.json"
(cd "$target" && sha256sum -- * > SHA256SUMS && cat SHA256SUMS)
