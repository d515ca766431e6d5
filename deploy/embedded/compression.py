"""The compressions of HTTP bodies that ClickHouse's clients use, piece by piece."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 1 << 20  # bytes unpacked at once: a kilobyte may stand for a megabyte, and a megabyte for a gigabyte


class BadCompression(ValueError):
    """A Content-Encoding this server does not read, or a body that is not what it says."""


class Compressor(Protocol):
    """Takes pieces of a body and gives pieces of the compressed body."""

    def compress(self, data: bytes) -> bytes:
        """Take a piece; what is returned may be empty."""

    def flush(self) -> bytes:
        """End the body."""


class Decompressor(Protocol):
    """Takes pieces of a compressed body and gives pieces of the body."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Take a piece and give what it holds, unpacked bit by bit as it is asked for. Raises BadCompression."""

    def finish(self) -> None:
        """Raise BadCompression if the body breaks off: a cut insert must not pass for a whole one."""


class _Identity:
    def compress(self, data: bytes) -> bytes:
        return data

    def unpack(self, data: bytes) -> Iterator[bytes]:
        yield data

    def flush(self) -> bytes:
        return b""

    def finish(self) -> None:
        return


class _Lz4Compressor:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begin = self._frame.begin()

    def compress(self, data: bytes) -> bytes:
        begin, self._begin = self._begin, b""
        return bytes(begin + self._frame.compress(data))

    def flush(self) -> bytes:
        return bytes(self._begin + self._frame.flush())


class _Frames:
    """Reads a body of one or more frames: clients may end one with each of their blocks."""

    def __init__(self, frame: Callable[[], Any]) -> None:
        self._new_frame = frame
        self._frame: Any = None

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data or self._holds_more():
            self._frame = self._frame or self._new_frame()
            try:
                piece = self._frame.decompress(data, _PIECE)
            except (RuntimeError, zlib.error, zstd.ZstdError) as error:
                raise BadCompression(f"The body is not what its Content-Encoding says: {error}") from error
            if piece:
                yield piece
            data = self._frame.unused_data or b""
            if self._frame.eof:
                self._frame = None

    def _holds_more(self) -> bool:
        return self._frame is not None and not self._frame.needs_input

    def finish(self) -> None:
        if self._frame is not None:
            raise BadCompression("The compressed body breaks off")


class _Zlib:
    """One gzip or zlib stream, with what lz4 and zstd call these things."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=47)  # told apart by the header
        self._filled = False

    def decompress(self, data: bytes, size: int) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, size)
        self._filled = len(piece) == size  # so there may be more, even with all input taken
        return piece

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not (self._filled or self._stream.unconsumed_tail)

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data


def decompressor(encoding: str) -> Decompressor:
    """What reads a body with this Content-Encoding. Raises BadCompression."""
    match encoding.strip().lower():
        case "" | "identity":
            return _Identity()
        case "lz4":
            return _Frames(lz4.frame.LZ4FrameDecompressor)
        case "zstd":
            return _Frames(zstd.ZstdDecompressor)
        case "gzip" | "deflate":
            return _Frames(_Zlib)
    raise BadCompression(f"Unknown Content-Encoding {encoding!r}: send lz4, zstd, gzip, deflate or none")


def compressor(accepted: str) -> tuple[str, Compressor]:
    """The Content-Encoding to answer with, given an Accept-Encoding header, and what writes it.

    The cheapest that the client reads; "" and the body as it is if it reads none of them.
    """
    offers = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    if "lz4" in offers:
        return "lz4", _Lz4Compressor()
    if "zstd" in offers:
        return "zstd", zstd.ZstdCompressor(level=1)
    if "gzip" in offers:
        return "gzip", zlib.compressobj(level=1, wbits=31)
    return "", _Identity()
