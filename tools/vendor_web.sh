#!/bin/sh
# Fetches the parts of onnxruntime-web that the page needs into the package; run it after changing VERSION.
# The programs are kept as xz, a third smaller than gzip; lafd.web hands them out as gzip, which browsers unpack.
set -eu

VERSION=1.30.0
target=$(cd "$(dirname "$0")/.." && pwd)/src/lafd/web/page/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$work" && npm pack --silent "onnxruntime-web@$VERSION" && tar xzf "onnxruntime-web-$VERSION.tgz")

# for the processor, and for the GPU; the package on npm has no licence file, the one on PyPI is built from the same source
python3 - "$work/package/dist" "$target" <<'PYTHON'
import lzma, pathlib, shutil, sys
import onnxruntime

dist, target = map(pathlib.Path, sys.argv[1:])
target.mkdir(exist_ok=True)
for script, program in (("wasm", ""), ("jspi", ".jspi")):
    lines = (dist / f"ort.{script}.bundle.min.mjs").read_text(encoding="utf-8").splitlines(keepends=True)
    # the source map is not shipped, so the line that names it goes
    text = "".join(line for line in lines if not line.startswith("//# sourceMappingURL="))
    (target / f"ort.{script}.bundle.min.mjs").write_text(text, encoding="utf-8")
    wasm = (dist / f"ort-wasm-simd-threaded{program}.wasm").read_bytes()
    (target / f"ort-wasm-simd-threaded{program}.wasm.xz").write_bytes(lzma.compress(wasm, preset=9))
package = pathlib.Path(onnxruntime.__file__).parent
for name in ("LICENSE", "ThirdPartyNotices.txt"):
    shutil.copyfile(package / name, target / f"onnxruntime-web.{name.removesuffix('.txt')}.txt")
PYTHON

(cd "$target" && ls -l && sha256sum ./*)
