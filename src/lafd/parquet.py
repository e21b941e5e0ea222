"""Results and lists of paths as Parquet (extra `parquet`)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lafd.journal import Row
from lafd.pipeline import FileResult
from lafd.storage import explained, locate

ROW_GROUP = 10_000  # rows; what is in memory while a file is written
METADATA = b"lafd"  # key of the file's metadata that says which run it is of

FACE = pa.struct([(name, pa.float32()) for name in ("x1", "y1", "x2", "y2", "score")])
SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        ("frame", pa.int32()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("faces", pa.list_(FACE)),
        ("error", pa.string()),
    ]
)
"""A row per picture, or per frame: faces is null, and error is not, where it failed."""


def write(stream: BinaryIO, results: Iterable[FileResult], run: dict[str, Any]) -> None:
    """Writes results; `run` says what decided about them and goes into the metadata."""
    schema = SCHEMA.with_metadata({METADATA: json.dumps(run).encode()})
    rows = (row(result) for result in results)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        while group := list(itertools.islice(rows, ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))


def row(result: FileResult) -> dict[str, Any]:
    """A result as a row of `SCHEMA`, rounded as in JSON."""
    data = result.to_dict()
    data["path"] = data["path"].encode("utf-8", "backslashreplace").decode()
    if "faces" in data:
        data["faces"] = [
            dict(zip(("x1", "y1", "x2", "y2"), face["box"], strict=True), score=face["score"])
            for face in data["faces"]
        ]
    return data


def rows(stream: pa.NativeFile) -> Iterator[Row]:
    """What is to be known of the results in a Parquet file."""
    for batch in pq.ParquetFile(stream).iter_batches(columns=["path", "frame", "faces", "error"]):
        counts = pc.fill_null(pc.list_value_length(batch.column("faces")), 0)
        columns = (batch.column("path"), batch.column("frame"), counts, batch.column("error"))
        for path, frame, faces, error in zip(*(column.to_pylist() for column in columns), strict=True):
            yield Row(path, not frame, faces, error is not None)


def run_of(stream: pa.NativeFile) -> Any:
    """What decided about the results in a Parquet file; None if lafd did not write it."""
    return json.loads((pq.read_schema(stream).metadata or {}).get(METADATA, b"null"))


def listed_paths(place: str) -> Iterator[str]:
    """The column `path` of a Parquet file on this machine or at a URI, batch by batch.

    Raises:
        LafdError: It cannot be read, or has no such column.
    """
    with explained(place, "read"):
        filesystem, path = locate(place)
        with filesystem.open_input_file(path) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(columns=["path"]):
                if not batch.num_columns:
                    raise OSError("it has no column 'path'")
                yield from (name for name in batch.column(0).to_pylist() if name)
