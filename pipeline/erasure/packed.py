"""What is packed in a file, and which packing cannot be opened: that goes to ``doubts``, one sentence each."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

import pyarrow as pa

_UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress}
_OPAQUE = {b"7z\xbc\xaf": "a 7-Zip archive", b"Rar!": "a RAR archive", b"Obj\x01": "an Avro file", b"\x89HDF": "an HDF5 file",
           b"%PDF": "a PDF file", b"\x04\x22\x4d\x18": "packed by LZ4", b"\x1f\x9d": "packed by compress",
           b"\xd0\xcf\x11\xe0": "an old Office file", b"FEA1": "an old Feather file"}  # fmt: skip
_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error,
           pa.ArrowException, MemoryError)  # fmt: skip


def is_packed(data: bytes) -> bool:
    """True if something else is packed in the file."""
    starts = (*_UNPACK, b"\x28\xb5\x2f\xfd", b"x\x01", b"x\x9c", b"x\xda")
    return data.startswith(starts) or data[257:262] == b"ustar" or zipfile.is_zipfile(io.BytesIO(data))


def unpacked(name: str, data: bytes, doubts: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of what is packed in a file, each part by itself: a broken one hides no other."""
    inner = name.rpartition(".")[0]
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            yield from _members_of_zip(data, doubts)
        elif data[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    file = archive.extractfile(member)  # None for what has no content, such as a directory
                    if file is not None:
                        yield member.name, file.read()
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            yield inner, pa.input_stream(pa.py_buffer(data), compression="zstd").read()
        elif data[:1] == b"x":
            yield from _inflated(inner, data)
        else:
            yield from ((inner, unpack(data)) for magic, unpack in _UNPACK.items() if data.startswith(magic))
    except _FAULTS:
        doubts.append("is packed and cannot be unpacked")


def say_if_opaque(data: bytes, doubts: list[str]) -> None:
    """Say so if the kind of file keeps its text packed in a way that is not opened here."""
    doubts += [f"is {what}, which is not opened" for magic, what in _OPAQUE.items() if data.startswith(magic)]


def _members_of_zip(data: bytes, doubts: list[str]) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            try:
                content = archive.read(member)
            except _FAULTS:
                doubts.append("holds a packed file that cannot be unpacked")
                continue
            yield member.filename, content


def _inflated(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        yield name, zlib.decompress(data)
    except zlib.error:
        return  # two letters are no sign of zlib: most files that begin so are text
