"""The service keeps to its own OpenAPI document, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
pytest.importorskip("schemathesis")

import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from serving import Service, serving

# Not whether valid data is accepted: random bytes are valid by the document, and no picture.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


OPERATIONS = [
    ("POST", "/v1/detect"),
    ("GET", "/v1/models"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [(*operation, GenerationMode.POSITIVE) for operation in OPERATIONS]
    + [("POST", "/v1/detect", GenerationMode.NEGATIVE)],  # the others have nothing that could be wrong
)
def test_every_answer_is_as_described(service: Service, method: str, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_url(f"{service.url}/openapi.json")[path][method]

    @settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(checks=CHECKS)

    check()
    assert len(service.workers()) == 1
    assert not [record for record in service.records() if record["level"] == "error"]


def test_document_is_complete(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    described = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    assert sorted(described) == sorted(OPERATIONS)
    content = document["paths"]["/v1/detect"]["post"]["requestBody"]["content"]
    example = content["application/json"]["examples"]["pixel"]["value"]
    assert service.http.post("/v1/detect", json=example).status_code == 200
    answer = document["paths"]["/v1/detect"]["post"]["responses"]["200"]["content"]["application/json"]
    assert answer["example"]["results"][0]["faces"]
