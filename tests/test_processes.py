"""One detector in many threads and processes."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from conftest import needs_openvino
from lafd import Detections, Detector
from lafd.drawing import draw_scene
from lafd.runtime.forking import usable_cores

LARGE = (1600, 1200)  # px; OpenCV scales pictures of this size with threads of its own


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [
        draw_scene(*size, seed, faces=2).image for seed, size in enumerate([LARGE, (320, 240), (300, 400)])
    ]


def equal(a: list[Detections], b: list[Detections]) -> bool:
    return all(
        np.array_equal(x.boxes, y.boxes) and np.array_equal(x.scores, y.scores)
        for x, y in zip(a, b, strict=True)
    )


def threads_of(detector: Detector) -> int:
    return int(detector.runtime.session.get_session_options().intra_op_num_threads)  # type: ignore[attr-defined]


def test_a_pickle_is_small_and_gives_the_same_detector(detector: Detector, images: list[np.ndarray]) -> None:
    data = pickle.dumps(detector)
    assert len(data) < 1000
    assert equal(pickle.loads(data).detect_batch(images), detector.detect_batch(images))


def test_a_model_by_a_relative_path_is_found_from_elsewhere(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lafd.models import find_model

    weights = find_model("base")
    for ending in (".onnx", ".json"):
        (tmp_path / f"own{ending}").write_bytes(weights.with_suffix(ending).read_bytes())
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(Detector("own.onnx", threads=1))
    monkeypatch.chdir("/")
    assert pickle.loads(data).card == detector.card


@pytest.mark.parametrize("device", ["cpu", "openvino"])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_child_processes_find_the_same(method: str, device: str, images: list[np.ndarray]) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    if device == "openvino":
        needs_openvino()
    detector = Detector(device=device, threads=2)
    reference = detector.detect_batch(images)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        done = [pool.submit(detector.detect_batch, images) for _ in range(4)]
        assert all(equal(future.result(timeout=100), reference) for future in done)
    assert equal(detector.detect_batch(images), reference)


def inherited() -> None:
    """In a child that was forked while other threads were detecting: exits with 0 if it finds the same."""
    raise SystemExit(0 if equal(SHARED[0].detect_batch(SHARED[1]), SHARED[2]) else 1)


SHARED: tuple[Detector, list[np.ndarray], list[Detections]]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_forks_in_the_middle_of_detection(images: list[np.ndarray]) -> None:
    global SHARED  # noqa: PLW0603 - what a fork inherits
    detector = Detector(threads=2)
    SHARED = detector, images, detector.detect_batch(images)
    end = threading.Event()

    def load() -> None:
        while not end.is_set():
            detector.detect_batch(images)

    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(load) for _ in range(2)]
        children = [multiprocessing.get_context("fork").Process(target=inherited) for _ in range(4)]
        for child in children:
            child.start()
            time.sleep(0.05)
        for child in children:
            child.join(100)
        end.set()
    assert [child.exitcode for child in children] == [0] * 4
    assert all(future.exception() is None for future in busy)


def test_threads_under_load_find_the_same_however_many(images: list[np.ndarray]) -> None:
    reference = Detector(threads=1).detect_batch(images)
    for threads in (1, 3):
        detector = Detector(threads=threads)
        with ThreadPoolExecutor(8) as pool:
            done = list(pool.map(detector.detect, images * 8))
        for found, alone in zip(done, reference * 8, strict=True):
            assert np.allclose(found.boxes, alone.boxes, atol=1e-3) and len(found) == len(alone)


def threads_of_a_new_detector() -> int:
    return threads_of(Detector())


def threads_of_this_detector(detector: Detector) -> int:
    return threads_of(detector)


def test_processes_do_not_take_all_cores_each() -> None:
    assert threads_of(Detector()) == usable_cores()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(threads_of_a_new_detector).result() == 1
        assert pool.submit(threads_of_this_detector, Detector()).result() == 1
        assert pool.submit(threads_of_this_detector, Detector(threads=2)).result() == 2
