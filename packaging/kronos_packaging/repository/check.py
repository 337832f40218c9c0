"""How a published tree is checked: what is wrong is collected, not only the first of it."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kronos_packaging.repository.errors import SignatureError
from kronos_packaging.repository.model import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ARMOR = re.compile(
    rb"-----BEGIN PGP (?P<kind>[A-Z ]+)-----\n\n(?P<body>(?:[A-Za-z0-9+/]+={0,2}\n)+)(?P<sum>=[A-Za-z0-9+/]{4}\n)?"
    rb"-----END PGP (?P=kind)-----\n"
)
INLINE = re.compile(
    rb"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA(256|384|512)\n\n(?P<text>.*)\n(?P<armor>-----BEGIN PGP SIGNATURE-----\n.*)",
    re.DOTALL,
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a published tree; `path` below its folder."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass
class Findings:
    """What a check of the tree at `root` has found so far, and the files that it has seen to be right."""

    root: Path
    problems: list[Problem] = field(default_factory=list)
    right: set[Path] = field(default_factory=set)
    left: set[Path] = field(default_factory=set)

    def wrong(self, path: Path, what: str) -> None:
        self.problems.append(Problem(str(path.relative_to(self.root)), what))

    def expect(self, path: Path, sha256: str, size_bytes: int = -1) -> bool:
        """Check a file against what was signed; return whether it is right. A size of -1 is not known."""
        if path in self.right:
            return True
        if not path.is_file() or path.is_symlink():
            self.wrong(path, "is missing")
        elif size_bytes not in (-1, path.stat().st_size) or sha256_of(path) != sha256:
            self.wrong(path, "its checksum is not the one that is signed")
        else:
            self.right.add(path)
            return True
        return False

    def accept(self, path: Path) -> None:
        """Remember a file that was checked by other means."""
        self.right.add(path)

    def leave(self, *folders: Path) -> None:
        """Do not look for surplus in `folders`: what was signed about them cannot be read."""
        self.left.update(folders)

    def no_others(self, folders: Iterable[Path]) -> None:
        """Report every file in `folders` that nobody signed."""
        reported = {problem.path for problem in self.problems}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path in self.right or (path.is_dir() and not path.is_symlink()):
                    continue
                if str(path.relative_to(self.root)) not in reported and self.left.isdisjoint(path.parents):
                    self.wrong(path, "is surplus: nothing that is signed names it")


def check_armor(path: Path) -> None:
    """Refuse an armored file with anything in it that gpg passes over (RFC 4880, 6.2). Raises SignatureError."""
    _check_armor_text(path, path.read_bytes())


def check_inline(path: Path, text: bytes) -> None:
    """Refuse an inline-signed file of `text` with anything else around it (RFC 4880, 7). Raises SignatureError."""
    match = INLINE.fullmatch(path.read_bytes())
    if match is None or _unescaped(match["text"]) != text.removesuffix(b"\n"):
        raise SignatureError(path, "there is more in the file than what is signed")
    _check_armor_text(path, match["armor"])


def _unescaped(text: bytes) -> bytes:
    return b"\n".join(line.removeprefix(b"- ") for line in text.split(b"\n"))


def _check_armor_text(path: Path, text: bytes) -> None:
    match = ARMOR.fullmatch(text)
    if match is None or _not_canonical(match):
        raise SignatureError(path, "there is more in the file than the signature")


def _not_canonical(match: re.Match[bytes]) -> bool:
    """Return whether base64 has bits that its decoder passes over, or another checksum."""
    body = match["body"].replace(b"\n", b"")
    try:
        content = base64.b64decode(body, validate=True)
    except binascii.Error:
        return True
    if base64.b64encode(content) != body or len(set(map(len, match["body"].split(b"\n")[:-2]))) > 1:
        return True
    return match["sum"] is not None and match["sum"] != b"=" + base64.b64encode(_crc24(content)) + b"\n"


def _crc24(content: bytes) -> bytes:
    """Return the armor's checksum (RFC 4880, 6.1)."""
    crc = 0xB704CE
    for byte in content:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return (crc & 0xFFFFFF).to_bytes(3, "big")


def below(folder: Path) -> Iterator[Path]:
    """Yield the folders directly below one, by name."""
    if folder.is_dir():
        yield from (path for path in sorted(folder.iterdir()) if path.is_dir())
