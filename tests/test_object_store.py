"""Pictures from an object store, over the protocol of S3 (the server s3rver, at the loopback)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import RunLafd
from pictures import many_drawn

SERVER = Path(__file__).parents[1] / "build" / "node_modules" / ".bin" / "s3rver"
fs = pytest.importorskip("pyarrow.fs")
if not SERVER.exists():
    pytest.skip("needs s3rver: npm install --prefix build s3rver@3.7.1", allow_module_level=True)

COUNT = 6


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A store with the empty bucket "pictures", which commands find by the environment."""
    place = ("--address", "127.0.0.1", "--port", "0", "--directory", tmp_path_factory.mktemp("store"))
    with (
        subprocess.Popen(
            [SERVER, *place, "--configure-bucket", "pictures"], stdout=subprocess.PIPE, text=True
        ) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        try:
            assert server.stdout
            address = next(line.split()[-1] for line in server.stdout if "listening on" in line)
            for name, value in {
                "AWS_ACCESS_KEY_ID": "S3RVER",
                "AWS_SECRET_ACCESS_KEY": "S3RVER",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",  # the server does not know newer uploads
                "AWS_ENDPOINT_URL": f"http://{address}",
            }.items():
                environment.setenv(name, value)
            yield fs.FileSystem.from_uri("s3://pictures")[0]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def folder(store: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures and one broken file on this machine; the store has the same."""
    folder = tmp_path_factory.mktemp("pictures")
    many_drawn(folder, COUNT)
    (folder / "broken.jpg").write_bytes(b"not a picture")
    fs.copy_files(
        str(folder), "pictures", source_filesystem=fs.LocalFileSystem(), destination_filesystem=store
    )
    return folder


def uris(folder: Path) -> list[str]:
    return [f"s3://pictures/{path.name}" for path in sorted(folder.iterdir())]


def local_faces(lafd: RunLafd, folder: Path) -> dict[str, Any]:
    """Faces by the name of the picture, from the files on this machine."""
    lines = map(json.loads, lafd("detect", folder, "--format", "jsonl").stdout.splitlines())
    return {Path(line["path"]).name: line.get("faces") for line in lines}


def test_pictures_of_a_bucket_have_the_faces_of_the_same_files(lafd: RunLafd, folder: Path) -> None:
    done = lafd("detect", *uris(folder), "--format", "jsonl")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cannot read s3://pictures/broken.jpg: it is not a picture of a known format" in done.stderr
    faces = {Path(line["path"]).name: line.get("faces") for line in map(json.loads, done.stdout.splitlines())}
    assert faces == local_faces(lafd, folder) and sum(map(bool, faces.values())) > 1


def test_what_is_not_in_the_store_is_said_in_one_line(lafd: RunLafd, store: Any) -> None:
    for uri in ("s3://pictures/nothing.jpg", "s3://nowhere/picture.jpg"):
        done = lafd("detect", uri)
        assert done.returncode == 1
        assert done.stderr.startswith(f"lafd: cannot read {uri}: ") and "Traceback" not in done.stderr
