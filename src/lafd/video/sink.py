"""Writing films: encoding the pictures, copying everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av import Packet, VideoFrame
from av.stream import Stream

from lafd.errors import LafdError, UsageError
from lafd.video.codecs import Encoding
from lafd.video.frame import Frame
from lafd.video.partial import Partial
from lafd.video.picture import FULL, Preparer
from lafd.video.priority import same_priority
from lafd.video.source import Source

_KEY_SECONDS = 4  # between frames that a player can jump to
# fragments, so that a killed run leaves a film; a finished one is an ordinary file again
_MP4 = {
    "movflags": "+hybrid_fragmented+frag_keyframe+delay_moov",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
_MP4_FORMATS = ("mp4", "mov", "ipod", "3gp", "3g2", "f4v", "psp")
_MPEG4_FINEST = 65535  # parts of a second in MPEG-4 part 2
_FEW_CODECS = (
    16  # of some containers, MPEG-TS say, FFmpeg does not know what they hold and names the usual ones
)
_BT709 = 1  # FFmpeg's number of the colours of HD video


class Sink:
    """A film that is being written; call `finish` or `abandon` at the end.

    Args:
        path: The film; its ending is the container.
        source: The film it comes from: the other streams, metadata, chapters and colours are taken from it.
        preparer: What the frames look like.
        encoding: The video codec.

    Attributes:
        left_out: Sentences about streams that the container cannot hold.

    Raises:
        UsageError: The ending, the codec, or an option of it, is unknown or does not fit.
        LafdError: The file cannot be written.
    """

    def __init__(self, path: Path, source: Source, preparer: Preparer, encoding: Encoding) -> None:
        self.source, self.left_out = source, list[str]()
        self.partial = Partial(path)
        try:
            self.container = av.open(str(self.partial.path), "w", options=_container_options(path))
        except (av.FFmpegError, ValueError) as error:
            self.partial.discard()
            raise UsageError(
                f"{path}: no film can be written with this ending ({_reason(error)}); use .mp4, .mkv or .webm."
            ) from None
        try:
            self.stream = self._add_pictures(preparer, encoding)
            self.copies = self._add_copies(path)
            with same_priority():
                self.container.start_encoding()
                self.stream.codec_context.open(strict=False)
        except LafdError:
            self.abandon()
            raise
        except (av.FFmpegError, ValueError, OSError) as error:
            self.abandon()
            raise UsageError(
                f"{path}: {encoding.encoder} does not go into this film with these options ({_reason(error)})."
            ) from None
        self.last: int | None = None
        self.end = 0
        self.held: Packet[Any] | None = None
        self.lead = 0

    def write(self, frame: Frame) -> None:
        """Encodes the next frame.

        Raises:
            LafdError: The disk is full, say.
        """
        image = frame.image
        image.pict_type = 0  # the encoder decides which frames are key frames
        base = self.stream.codec_context.time_base
        moment = frame.pts * self.source.time_base - self.source.offset
        pts = round(moment / base)
        if self.last is not None:
            pts = max(pts, self.last + 1)
        duration = round(frame.duration * self.source.time_base / base)
        self.last = image.pts = pts
        self.end = pts + duration
        image.time_base, image.duration = base, duration
        self._mux(lambda: self._encoded(image))

    def copy(self, packet: Packet[Any]) -> None:
        """Copies a packet of another stream."""
        target = self.copies.get(packet.stream_index)
        if target is None or not packet.time_base:
            return
        shift = round(self.source.offset / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = target
        self._mux(lambda: [packet])

    def finish(self) -> None:
        """Writes what the encoder still holds and gives the film its name."""
        self.close()
        self.partial.finish()

    def close(self) -> None:
        """Ends the film where it is; it can be played and keeps its temporary name."""
        self._mux(lambda: self._encoded(None))
        if self.held is not None:
            self._mux(self._last_packet)
        try:
            self.container.close()
        except (av.FFmpegError, OSError) as error:
            raise LafdError(f"{self.partial.final}: cannot be written ({_reason(error)}).") from None

    def abandon(self) -> None:
        """Ends the film without a frame and removes it."""
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):  # what was not begun cannot be ended
            self.container.close()
        self.partial.discard()

    def _encoded(self, image: VideoFrame | None) -> Iterator[Packet[Any]]:
        """What the encoder gives; the last packet is held back until it is known to be the last."""
        for packet in self.stream.encode(image):
            if self.held is None:
                self.lead = packet.pts - packet.dts
            else:
                yield self.held
            self.held = packet

    def _last_packet(self) -> list[Packet[Any]]:
        """The last packet; MP4 adds up durations in decoding order and would end before the frame shown last."""
        packet = self.held
        assert packet is not None and packet.dts is not None
        if self.container.format.name in _MP4_FORMATS:
            packet.duration = max(packet.duration or 0, self.end - packet.dts - self.lead)
        return [packet]

    def _mux(self, packets: Any) -> None:
        try:
            self.container.mux(packets())
        except (av.FFmpegError, OSError) as error:
            raise LafdError(f"{self.partial.final}: cannot be written ({_reason(error)}).") from None

    def _add_pictures(self, preparer: Preparer, encoding: Encoding) -> Any:
        source, first = self.source, self.source.first
        rate = Fraction(source.rate).limit_denominator(_MPEG4_FINEST)
        stream: Any = self.container.add_stream(encoding.encoder, rate=rate, options=encoding.options)
        base = source.time_base
        if encoding.encoder == "mpeg4" and base.denominator > _MPEG4_FINEST:
            base = Fraction(1, 60000)
        stream.time_base = base
        context = stream.codec_context
        context.time_base, context.gop_size = base, max(1, round(_KEY_SECONDS * rate))
        context.width, context.height = preparer.padded
        context.pix_fmt = preparer.format
        aspect = source.stream.sample_aspect_ratio
        if aspect:
            context.sample_aspect_ratio = 1 / aspect if source.turns % 2 else aspect
        context.color_range = FULL if preparer.full else first.color_range
        context.colorspace = _BT709 if preparer.rgb else first.colorspace
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        if encoding.encoder == "libx265" and self.container.format.name in _MP4_FORMATS:
            context.codec_tag = "hvc1"  # the name by which Apple's players know it
        stream.metadata.update(_kept(source.stream.metadata))
        stream.disposition = source.stream.disposition
        return stream

    def _add_copies(self, path: Path) -> dict[int, Stream]:
        source = self.source
        self.container.metadata.update(_kept(source.container.metadata))
        chapters = source.container.chapters()
        if chapters:
            self.container.set_chapters(chapters)
        copies: dict[int, Stream] = {}
        fitting = self.container.supported_codecs
        for stream in source.copied:
            codec = _codec_name(stream)
            unfit = len(fitting) > _FEW_CODECS and codec not in fitting
            if stream.type != "attachment" and unfit:
                what = f"{stream.type} stream {stream.index} ({codec})"
                if stream.type == "audio":
                    raise UsageError(
                        f"{path}: cannot hold the {what} of {source.name}; write an .mkv instead."
                    )
                self.left_out.append(f"{path}: the {what} is left out, this container cannot hold it.")
                continue
            if stream.type == "attachment" and self.container.format.name != "matroska":
                continue
            copy = self.container.add_stream_from_template(stream)
            copy.metadata.update(_kept(stream.metadata))
            copy.disposition = stream.disposition
            copies[stream.index] = copy
        return copies


def _container_options(path: Path) -> dict[str, str]:
    return _MP4 if path.suffix.lower() in (".mp4", ".m4v", ".mov") else {"flush_packets": "1"}


def _kept(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata without what describes the old file alone."""
    own = ("encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id")
    return {
        key: value for key, value in metadata.items() if key.lower() not in own and not _is_statistic(key)
    }


def _is_statistic(key: str) -> bool:
    """Whether a key is of mkvmerge's statistics, which would be wrong for the new pictures."""
    return key.upper().startswith(("_STATISTICS", "BPS", "NUMBER_OF_", "DURATION"))


def _codec_name(stream: Stream) -> str:
    context = getattr(stream, "codec_context", None)
    return context.codec.canonical_name if context is not None else ""


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
