#!/bin/sh
# Fetches the parts of onnxruntime-web that the page needs into the package; run it after changing VERSION.
# The .wasm file is kept gzipped (3.7 MB instead of 14): the page unpacks it, on any host.
set -eu

VERSION=1.30.0
target=$(cd "$(dirname "$0")/.." && pwd)/src/lafd/web/page/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent "onnxruntime-web@$VERSION" && tar xzf "onnxruntime-web-$VERSION.tgz")
dist="$work/package/dist"

mkdir -p "$target"
# the source map is not shipped, so the line that names it goes
sed '/^\/\/# sourceMappingURL=/d' "$dist/ort.wasm.bundle.min.mjs" > "$target/ort.wasm.bundle.min.mjs"
gzip -9nc "$dist/ort-wasm-simd-threaded.wasm" > "$target/ort-wasm-simd-threaded.wasm.gz"

# the package on npm has no licence file; the one on PyPI is built from the same source
python3 - "$target" <<'PYTHON'
import pathlib, shutil, sys
import onnxruntime

package = pathlib.Path(onnxruntime.__file__).parent
for name in ("LICENSE", "ThirdPartyNotices.txt"):
    shutil.copyfile(package / name, pathlib.Path(sys.argv[1]) / f"onnxruntime-web.{name.removesuffix('.txt')}.txt")
PYTHON

(cd "$target" && ls -l && sha256sum ./*)
