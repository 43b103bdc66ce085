"""Writes the metadata of an ONNX file without the onnx package: every other byte stays as it is.

An ONNX file is a ModelProto, a protobuf message: a sequence of fields, each with a tag, and bytes or a number.
https://protobuf.dev/programming-guides/encoding/
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

import os
import secrets
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 2**31 - 1
"""Of a protobuf message, and so of an ONNX file: https://protobuf.dev/programming-guides/proto-limits/"""

COPIED_BYTES = 2**20
"""At once."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""The wire types; the groups of old, 3 and 4, are in no ONNX file."""

IR_VERSION, GRAPH, METADATA_PROPS = 1, 7, 14
"""Fields of ModelProto."""
INITIALIZER = 5
"""Of GraphProto."""
RAW_DATA, EXTERNAL_DATA, DATA_LOCATION = 9, 13, 14
"""Of TensorProto."""
KEY, VALUE = 1, 2
"""Of StringStringEntryProto."""


class ModelFileError(ValueError):
    """A file that is no ONNX model, or whose weights cannot be found; the message is one sentence."""


@dataclass(frozen=True)
class _Field:
    """Where a field of a message lies in the file, in bytes.

    Attributes:
        number: of the field.
        begin: of its tag.
        value: begin of its content, without the tag and the length.
        end: of its content.
        is_message: whether it has a length, as bytes, strings and messages do.
    """

    number: int
    begin: int
    value: int
    end: int
    is_message: bool


@dataclass(frozen=True)
class _Part:
    """A part of a file that is copied."""

    path: Path
    begin: int
    end: int


_Content = list[_Part | bytes]


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata_props of an ONNX file; of entries with the same key the last one.

    Raises:
        ModelFileError: it is no ONNX file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return dict(_entry(file, field) for field in _model_fields(file) if field.number == METADATA_PROPS)


def external_files(path: Path) -> list[Path]:
    """The files that hold weights of the model, in the order of the weights, each once.

    Raises:
        ModelFileError: it is no ONNX file, or it names a file outside its own folder.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        tensors = [tensor for graph in _graphs(file) for tensor in _initializers(file, graph)]
        return list(dict.fromkeys(part.path for tensor in tensors if (part := _external_part(file, tensor))))


def write_metadata(source: Path, target: Path, metadata: Mapping[str, str], *, without: Container[str] = ()) -> None:
    """Copy an ONNX file with other metadata, and with all weights inside.

    Entries with the same keys or with one of `without` go; the new ones are appended in their order. Everything else
    keeps its bytes and its order, but for weights in other files. The target appears when it is complete; it may be the
    source.

    Raises:
        ModelFileError: the source is no ONNX file, its weights are missing, or the target would have more than 2 GB.
        OSError: the source cannot be read, or the target not be written.
    """
    with source.open("rb") as file:
        content: _Content = []
        for field in _model_fields(file):
            if field.number == METADATA_PROPS:
                key, _ = _entry(file, field)
                if key in metadata or key in without:
                    continue
            content += _with_weights(file, field) if field.number == GRAPH else [_part(file, field)]
    content += [_entry_field(key, value) for key, value in metadata.items()]
    if _size(content) > MAX_BYTES:
        size = f"{_size(content) / 1e9:.1f} GB"
        raise ModelFileError(
            f"The model file {source} has {size} with its weights inside; an ONNX file has at most 2.1."
        )
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as written:
            for part in content:
                _copy(part, written)
        temporary.replace(target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _model_fields(file: BinaryIO) -> list[_Field]:
    """The fields of a ModelProto."""
    name = file.name
    try:
        fields = list(_fields(file, 0, os.fstat(file.fileno()).st_size))
    except _MalformedError as error:
        raise ModelFileError(f"The model file {name} is not an ONNX model: {error}.") from None
    found = {(field.number, field.is_message) for field in fields}
    if (IR_VERSION, False) not in found or (GRAPH, True) not in found:
        raise ModelFileError(f"The model file {name} is not an ONNX model: it holds no version and graph of one.")
    return fields


class _MalformedError(ValueError):
    """What is wrong, as a clause."""


def _fields(file: BinaryIO, begin: int, end: int) -> Iterator[_Field]:
    position = begin
    while position < end:
        tag, value = _varint(file, position, end)
        number, kind = tag >> 3, tag & 7
        if number == 0 or kind not in (VARINT, FIXED64, BYTES, FIXED32):
            raise _MalformedError(f"at byte {position:,} there is no field of one")
        if kind == VARINT:
            length = _varint(file, value, end)[1] - value
        elif kind == BYTES:
            length, value = _varint(file, value, end)
        else:
            length = 8 if kind == FIXED64 else 4
        if value + length > end:
            raise _MalformedError(f"the field at byte {position:,} ends {value + length - end:,} bytes after the file")
        yield _Field(number, position, value, value + length, kind == BYTES)
        position = value + length


def _varint(file: BinaryIO, position: int, end: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the position after it."""
    file.seek(position)
    found = 0
    for index, byte in enumerate(file.read(min(10, end - position))):
        found |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return found, position + index + 1
    raise _MalformedError(f"there is no number at byte {position:,}")


def _graphs(file: BinaryIO) -> list[_Field]:
    return [field for field in _model_fields(file) if field.number == GRAPH]


def _initializers(file: BinaryIO, graph: _Field) -> list[_Field]:
    return [field for field in _inside(file, graph) if field.number == INITIALIZER and field.is_message]


def _inside(file: BinaryIO, field: _Field) -> list[_Field]:
    try:
        return list(_fields(file, field.value, field.end))
    except _MalformedError as error:
        raise ModelFileError(f"The model file {file.name} is not an ONNX model: {error}.") from None


def _entry(file: BinaryIO, field: _Field) -> tuple[str, str]:
    """Key and value of a StringStringEntryProto."""
    texts = {inner.number: _bytes(file, inner) for inner in _inside(file, field)}
    key, value = (texts.get(number, b"").decode(errors="replace") for number in (KEY, VALUE))
    return key, value


def _bytes(file: BinaryIO, field: _Field) -> bytes:
    file.seek(field.value)
    return file.read(field.end - field.value)


def _external_part(file: BinaryIO, tensor: _Field) -> _Part | None:
    """Where a TensorProto's weights lie, if not in itself.

    https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
    """
    fields = _inside(file, tensor)
    locations = [field for field in fields if field.number == DATA_LOCATION]
    if not locations or _varint(file, locations[-1].value, tensor.end)[0] != 1:
        return None
    entries = dict(_entry(file, field) for field in fields if field.number == EXTERNAL_DATA)
    folder, location = Path(file.name).parent, entries.get("location", "")
    path = folder / location
    if not location or not path.resolve().is_relative_to(folder.resolve()):
        raise ModelFileError(f"The weights of {file.name} are in {location!r}, but must be in a file beside it.")
    if not path.is_file():
        raise ModelFileError(f"The weights of {file.name} are in {path}, which is missing; put it beside the model.")
    size = path.stat().st_size
    try:
        begin = int(entries.get("offset", 0))
        end = begin + int(entries.get("length", size - begin))
    except ValueError:
        begin, end = 0, -1
    if not 0 <= begin <= end <= size:
        raise ModelFileError(f"The weights of {file.name} are not all in {path}, which has {size:,} bytes.")
    return _Part(path, begin, end)


def _with_weights(file: BinaryIO, graph: _Field) -> _Content:
    """The graph's field with the weights of all its initializers inside."""
    content: _Content = []
    changed = False
    for field in _inside(file, graph):
        is_initializer = field.number == INITIALIZER and field.is_message
        weights = _external_part(file, field) if is_initializer else None
        if weights:
            changed = True
            kept = [each for each in _inside(file, field) if each.number not in (EXTERNAL_DATA, DATA_LOCATION)]
            content += _message(INITIALIZER, [*(_part(file, each) for each in kept), *_message(RAW_DATA, [weights])])
        else:
            content.append(_part(file, field))
    return _message(GRAPH, content) if changed else [_part(file, graph)]


def _part(file: BinaryIO, field: _Field) -> _Part:
    return _Part(Path(file.name), field.begin, field.end)


def _message(number: int, content: _Content) -> _Content:
    return [_encoded(number << 3 | BYTES) + _encoded(_size(content)), *content]


def _entry_field(key: str, value: str) -> bytes:
    inner = b"".join(_text_field(number, text) for number, text in ((KEY, key), (VALUE, value)))
    return _encoded(METADATA_PROPS << 3 | BYTES) + _encoded(len(inner)) + inner


def _text_field(number: int, text: str) -> bytes:
    data = text.encode()
    return _encoded(number << 3 | BYTES) + _encoded(len(data)) + data


def _encoded(number: int) -> bytes:
    """As a varint."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _size(content: _Content) -> int:
    return sum(len(part) if isinstance(part, bytes) else part.end - part.begin for part in content)


def _copy(part: _Part | bytes, written: BinaryIO) -> None:
    if isinstance(part, bytes):
        written.write(part)
        return
    with part.path.open("rb") as source:
        source.seek(part.begin)
        left = part.end - part.begin
        while left:
            chunk = source.read(min(left, COPIED_BYTES))
            if not chunk:
                raise ModelFileError(f"The file {part.path} was cut while it was read.")
            written.write(chunk)
            left -= len(chunk)
