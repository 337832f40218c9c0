"""The thin CLI protocol of XenAPI hosts: what xe and the daemon say to each other after `POST /cli`.

Both sides begin with MAGIC and a version. Then come messages: a 32-bit little-endian length,
and as many bytes of tags (32-bit), numbers (32-bit) and texts (length, UTF-8). The daemon sends
commands, xe answers with responses and blobs. Pure functions over bytes, and nothing heavy is
imported: xe's start-up time is the user's waiting time.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Part: TypeAlias = str | int | list[str]

MAGIC = b"XenSource thin CLI protocol"
MAJOR, MINOR = 0, 2
HELLO = MAGIC + struct.pack("<ii", MAJOR, MINOR)
# No message is longer; what is, is not this protocol.
MAX_MESSAGE = 64 << 20

COMMAND, RESPONSE, BLOB = 9, 10, 11
PRINT, LOAD, HTTP_GET, HTTP_PUT, PROMPT, EXIT = 0, 1, 12, 13, 3, 4
ERROR, DEBUG, PRINT_STDERR, HTTP_CONNECT = 14, 15, 16, 17
OK, FAILED, WAIT = 5, 6, 18
CHUNK, END = 7, 8

# What follows each command's tag: s a text, i a number, l a list of texts.
_SHAPES = {
    (COMMAND, PRINT): "s",
    (COMMAND, LOAD): "s",
    (COMMAND, HTTP_GET): "ss",
    (COMMAND, HTTP_PUT): "ss",
    (COMMAND, PROMPT): "",
    (COMMAND, EXIT): "i",
    (COMMAND, ERROR): "sl",
    (COMMAND, DEBUG): "s",
    (COMMAND, PRINT_STDERR): "s",
    (COMMAND, HTTP_CONNECT): "s",
    (RESPONSE, OK): "",
    (RESPONSE, FAILED): "",
    (RESPONSE, WAIT): "",
    (BLOB, CHUNK): "i",
    (BLOB, END): "",
}


class ProtocolError(Exception):
    """The other side does not speak this protocol."""


class Message:
    """One message: COMMAND, RESPONSE or BLOB; which; and its parts."""

    __slots__ = ("kind", "parts", "tag")

    def __init__(self, kind: int, tag: int, parts: tuple[Part, ...]) -> None:
        self.kind, self.tag, self.parts = kind, tag, parts


def _text(text: str) -> bytes:
    raw = text.encode(errors="surrogateescape")
    return struct.pack("<i", len(raw)) + raw


def encode(kind: int, tag: int, *parts: Part) -> bytes:
    """Return a whole message, its length before it."""
    body = struct.pack("<ii", kind, tag)
    for part in parts:
        if isinstance(part, int):
            body += struct.pack("<i", part)
        elif isinstance(part, str):
            body += _text(part)
        else:
            body += struct.pack("<i", len(part)) + b"".join(map(_text, part))
    return struct.pack("<i", len(body)) + body


def length(header: bytes) -> int:
    """Return the length in a message's first four bytes. Raises ProtocolError."""
    (size,) = struct.unpack("<i", header)
    if not 0 <= size <= MAX_MESSAGE:
        raise ProtocolError(f"a message of {size} bytes")
    return int(size)


def decode(body: bytes) -> Message:
    """Return the message in `body` (its length taken off). Raises ProtocolError."""
    try:
        kind, tag = struct.unpack_from("<ii", body)
        shape = _SHAPES[kind, tag]
        at = 8
        parts: list[Part] = []
        for one in shape:
            part, at = _READERS[one](body, at)
            parts.append(part)
    except (struct.error, KeyError, IndexError) as error:
        raise ProtocolError(f"a message that this version does not know: {body[:16].hex()}") from error
    return Message(kind, tag, tuple(parts))


def _read_number(body: bytes, at: int) -> tuple[int, int]:
    return int(struct.unpack_from("<i", body, at)[0]), at + 4


def _read_text(body: bytes, at: int) -> tuple[str, int]:
    size, at = _read_number(body, at)
    if not 0 <= size <= len(body) - at:
        raise IndexError
    return body[at : at + size].decode(errors="surrogateescape"), at + size


def _read_list(body: bytes, at: int) -> tuple[list[str], int]:
    count, at = _read_number(body, at)
    if not 0 <= count <= len(body) // 4:
        raise IndexError
    texts = []
    for _ in range(count):
        text, at = _read_text(body, at)
        texts.append(text)
    return texts, at


_READERS: dict[str, Callable[[bytes, int], tuple[Part, int]]] = {
    "s": _read_text,
    "i": _read_number,
    "l": _read_list,
}


def check_hello(sent: bytes) -> None:
    """Check the other side's first bytes, as many as HELLO has. Raises ProtocolError."""
    if sent[: len(MAGIC)] != MAGIC:
        raise ProtocolError("the other side does not speak the thin CLI protocol")
    major, minor = struct.unpack_from("<ii", sent, len(MAGIC))
    if major != MAJOR:
        raise ProtocolError(f"protocol version {major}.{minor}, and this xe speaks {MAJOR}.{MINOR}")
