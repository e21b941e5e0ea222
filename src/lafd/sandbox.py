"""Decoding in processes of their own, with limits: a picture that crashes or hangs its decoder harms no other."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lafd import images, opening
from lafd.errors import ImageError, LafdError, UsageError
from lafd.images import ImageSource, Picture
from lafd.opencv import limit_threads
from lafd.pixels import Pixels

SECONDS = 30.0  # the slowest picture within the limit of pixels takes ten
MEMORY = 4 * 2**30  # bytes; the largest picture within the limit of pixels takes nearly as much
START_SECONDS = 300.0
HEAD = struct.Struct("<IQ")  # bytes of a message in JSON and of the content after it

Message = dict[str, Any]


class Sandbox:
    """Inside its block, what this process reads from files and bytes is decoded in other processes, one per thread.

    A process that crashes, takes too long or takes too much memory is replaced, and the picture has an `ImageError`.
    Pillow images are decoded here, because they are open already. As with all of `multiprocessing`, a script that
    uses it needs `if __name__ == "__main__":`.

    Args:
        seconds: That one picture, or one frame of an animation, may take.
        memory: Bytes that a process may take for a picture. Held to on Linux; other systems may ignore it.

    Raises:
        UsageError: A limit is out of range, or the system has no such limits (Windows).

    Examples:
        >>> from lafd.sandbox import Sandbox
        >>> with Sandbox(seconds=60):
        ...     pass  # detector.detect("picture.png")
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        if os.name != "posix":
            raise UsageError(
                "a sandbox needs the process limits of Linux or macOS; go without it on this system."
            )
        if not 0 < seconds < 1e6:
            raise UsageError(f"the seconds of a sandbox must be between 0 and 1000000, not {seconds}.")
        if memory < 2**20:
            raise UsageError(f"the memory of a sandbox must be at least a megabyte, not {memory} bytes.")
        self.seconds, self.memory = seconds, memory
        self.idle: list[Reader] = []
        self.outer: images.Elsewhere | None = None

    def __enter__(self) -> Sandbox:
        self.outer, images.elsewhere = images.elsewhere, self.read
        return self

    def __exit__(self, *_: object) -> None:
        images.elsewhere = self.outer
        while self.idle:
            self.idle.pop().end()

    def read(self, source: ImageSource, how: Message) -> Iterator[Picture]:
        """The picture of a source, or its frames; `how` are arguments of `read_image`, and "frames"."""
        try:
            reader = self.idle.pop()
        except IndexError:
            reader = Reader(self.seconds, self.memory)
        try:
            yield from reader.ask(source, how)
        finally:
            if reader.busy:  # still at a picture that nobody wants any more, or dead
                reader.end()
            else:
                self.idle.append(reader)


class Reader:
    """One process that decodes, and the line to it.

    Attributes:
        busy: Whether it has not answered in full.
    """

    def __init__(self, seconds: float, memory: int) -> None:
        self.seconds, self.busy = seconds, False
        self.line, theirs = socket.socketpair()
        # a clean interpreter: one that was forked from a program with threads may hold a lock for ever
        self.process = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, seconds, memory), name="lafd-reader", daemon=True
        )
        self.process.start()
        theirs.close()
        try:
            receive(self.line, time.monotonic() + START_SECONDS)
        except (EOFError, OSError):
            self.end()
            raise LafdError("a process for reading pictures could not start; give it more memory.") from None

    def ask(self, source: ImageSource, how: Message) -> Iterator[Picture]:
        """The pictures that a source holds.

        Raises:
            ImageError: The picture cannot be read, or the process died over it or had to be killed.
            UsageError: The source or an argument is of the wrong kind.
        """
        if isinstance(source, (str, os.PathLike)):
            name, content = os.fspath(source), b""
            how = {**how, "path": name}
        else:
            name, content = "the picture", opening.content(source)
        self.busy = True
        try:
            self.line.settimeout(self.seconds)
            send(self.line, how, content)
            message, pixels = receive(self.line, time.monotonic() + self.seconds)
            while "shape" in message:
                array = np.frombuffer(pixels, np.uint8).reshape(message["shape"])
                yield Picture(array, message["width"], message["height"])
                message, pixels = receive(self.line, time.monotonic() + self.seconds)
        except TimeoutError:
            raise ImageError(f"cannot read {name}: decoding it takes more than {self.seconds:g} s.") from None
        except (EOFError, OSError):
            raise ImageError(f"cannot read {name}: {self.death()}.") from None
        self.busy = False
        if "error" in message:
            raise (UsageError if message["usage"] else ImageError)(message["error"])

    def death(self) -> str:
        """Why the process ended."""
        self.process.join(5)
        code = self.process.exitcode
        if code == -signal.SIGXCPU:
            return f"decoding it takes more than {self.seconds:g} s"
        cause = signal.Signals(-code).name if code is not None and code < 0 else f"status {code}"
        return f"its decoder crashed ({cause})"

    def end(self) -> None:
        """Ends the process, whatever it is at."""
        self.line.close()
        self.process.kill()
        self.process.join()


def work(line: socket.socket, seconds: float, memory: int) -> None:
    """What a reader process does until its line is closed."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C in the terminal is for the main process, which ends this one
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where decoders complain, as often as a picture likes
    limit_threads(1)
    confine(memory)
    with suppress(EOFError, OSError):
        send(line, {})
        while True:
            request, content = receive(line)
            answer(line, request, content, seconds)


def confine(memory: int) -> None:
    """Sets the limits of this process for good: memory on top of what it has now, no files, no core dumps."""
    import resource

    statm = Path("/proc/self/statm")
    present = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    for limit, value in (
        (resource.RLIMIT_AS, present + memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS refuses a limit of memory
            resource.setrlimit(limit, (value, value))


def allow(seconds: float) -> None:
    """Lets the kernel end this process after so much more processor time, should nobody be there to do it."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 2, resource.RLIM_INFINITY))


def answer(line: socket.socket, request: Message, content: bytearray, seconds: float) -> None:
    """Decodes what was asked for and sends it."""
    source, frames = request.pop("path", content), request.pop("frames")
    request["background"] = tuple(request["background"])
    try:
        allow(seconds)
        for picture in read_frames(source, request) if frames else [images.read_image(source, **request)]:
            shape = {"shape": picture.pixels.shape, "width": picture.width, "height": picture.height}
            send(line, shape, picture.pixels)
            allow(seconds)
    except LafdError as error:
        send(line, {"error": str(error), "usage": isinstance(error, UsageError)})
    else:
        send(line, {})


def read_frames(source: ImageSource, how: Message) -> Iterator[Picture]:
    """The frames of an animation."""
    for pixels in images.load_frames(source, **how):
        yield Picture(pixels, pixels.shape[1], pixels.shape[0])


def send(line: socket.socket, message: Message, content: bytes | Pixels = b"") -> None:
    """Sends a message and the content that belongs to it. There is no pickle in it: the other side may be malicious."""
    text = json.dumps(message).encode()
    data = (content.data if isinstance(content, np.ndarray) else memoryview(content)).cast("B")
    line.sendall(HEAD.pack(len(text), data.nbytes) + text)
    line.sendall(data)


def receive(line: socket.socket, deadline: float | None = None) -> tuple[Message, bytearray]:
    """The next message and its content, by a deadline in the time of `time.monotonic`.

    Raises:
        EOFError: The other side has ended.
        TimeoutError: The deadline is over.
    """
    length, size = HEAD.unpack(take(line, HEAD.size, deadline))
    message: Message = json.loads(take(line, length, deadline))
    return message, take(line, size, deadline)


def take(line: socket.socket, size: int, deadline: float | None) -> bytearray:
    """The next bytes."""
    data = bytearray(size)
    view = memoryview(data)
    while view:
        line.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
        count = line.recv_into(view)
        if not count:
            raise EOFError
        view = view[count:]
    return data
