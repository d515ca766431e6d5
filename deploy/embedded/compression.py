"""Compression of HTTP bodies with the encodings that ClickHouse's clients use, in pieces."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import lz4.frame

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_PIECE = 1 << 20  # bytes decompressed at a time: a kilobyte may become a megabyte, and a megabyte a gigabyte


class BadCompression(ValueError):
    """An unsupported Content-Encoding, or a body that does not match it."""


class Compressor(Protocol):
    """Compresses a body in pieces."""

    def compress(self, data: bytes) -> bytes:
        """Compress a piece; the result may be empty."""

    def flush(self) -> bytes:
        """End the body."""


class Decompressor(Protocol):
    """Decompresses a body in pieces."""

    def unpack(self, data: bytes) -> Iterator[bytes]:
        """Decompress a piece, yielding its content in parts on demand. Raises BadCompression."""

    def finish(self) -> None:
        """Raise BadCompression if the body is truncated: a truncated insert must not be taken for a complete one."""


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
    """Reads a body of one or more frames: clients may end a frame with each of their blocks."""

    def __init__(self, frame: Callable[[], Any]) -> None:
        self._new_frame = frame
        self._frame: Any = None

    def unpack(self, data: bytes) -> Iterator[bytes]:
        while data or self._holds_more():
            self._frame = self._frame or self._new_frame()
            try:
                piece = self._frame.decompress(data, _PIECE)
            except (RuntimeError, zlib.error, zstd.ZstdError) as error:
                raise BadCompression(f"The body does not match its Content-Encoding: {error}") from error
            if piece:
                yield piece
            data = self._frame.unused_data or b""
            if self._frame.eof:
                self._frame = None

    def _holds_more(self) -> bool:
        return self._frame is not None and not self._frame.needs_input

    def finish(self) -> None:
        if self._frame is not None:
            raise BadCompression("The compressed body is truncated")


class _Zlib:
    """One gzip or zlib stream, with the interface of the lz4 and zstd classes."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=47)  # distinguished by the header
        self._filled = False

    def decompress(self, data: bytes, size: int) -> bytes:
        piece = self._stream.decompress(self._stream.unconsumed_tail + data, size)
        self._filled = len(piece) == size  # so there may be more, even if all input was consumed
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
    """Return the decompressor for a Content-Encoding. Raises BadCompression."""
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
    """Return the Content-Encoding for a response to this Accept-Encoding header, and its compressor.

    It is the cheapest that the client accepts; "" with an unchanged body if it accepts none of them.
    """
    offers = {part.split(";")[0].strip().lower() for part in accepted.split(",")}
    if "lz4" in offers:
        return "lz4", _Lz4Compressor()
    if "zstd" in offers:
        return "zstd", zstd.ZstdCompressor(level=1)
    if "gzip" in offers:
        return "gzip", zlib.compressobj(level=1, wbits=31)
    return "", _Identity()
