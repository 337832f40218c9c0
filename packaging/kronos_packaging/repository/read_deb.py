"""A .deb or .dsc in, what apt's indexes say of it out (deb(5), deb-src-control(5), Debian's repository format)."""

from __future__ import annotations

import hashlib
import lzma
import re
import tarfile
import zlib
from typing import TYPE_CHECKING

from debian.arfile import ArError, ArFile
from debian.deb822 import Deb822, Dsc

from kronos_packaging.repository.errors import DamagedPackageError
from kronos_packaging.repository.model import Package, PoolFile, is_regular, sha256_of
from kronos_packaging.repository.unpack import CONTROL_BYTES, CONTROL_FILE_BYTES, DATA_BYTES, members

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kronos_packaging.repository.unpack import Readable

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
VERSION = re.compile(r"(\d+:)?[0-9][A-Za-z0-9.+~-]*")
ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]*")
# What some reader of lines takes for the end of one, other control characters, and bytes that are not UTF-8.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# What the paragraphs of Packages and Sources say beside what is in the package.
OF_PACKAGES = ("Filename", "Size", "MD5sum", "SHA1", "SHA256", "SHA512", "Description-md5")
OF_SOURCES = ("Package", "Directory")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^%-]*")
BAD = (ArError, OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError, zlib.error, KeyError)


def read_deb(path: Path, place: str, sha256: str) -> Package:
    """Return what an index says of the .deb at `path`, which will be published as `place`.

    Every byte of both its tars is read, within the limits of unpack.py. Raises DamagedPackageError.
    """
    try:
        with path.open("rb") as file:
            archive = ArFile(fileobj=file)
            parts = archive.getmembers()
            if [part.name.split(".")[0] for part in parts] != ["debian-binary", "control", "data"]:
                raise DamagedPackageError(path, "is not debian-binary, control and data")
            control = _control(parts[1].name, parts[1])
            listing = _listing(parts[2].name, parts[2])
        _refuse_fields("its control file", control, OF_PACKAGES)
    except BAD as error:
        raise DamagedPackageError(path, str(error) or type(error).__name__) from error
    _check_fields(path, control)
    short, remark = _split_description(control)
    size = path.stat().st_size
    lines = [f"{key}: {short if key == 'Description' else value}" for key, value in control.items()]
    if "Description" in control:
        lines.append(f"Description-md5: {_description_md5(control['Description'])}")
    lines += [f"Size: {size}", f"SHA256: {sha256}"]
    return Package(
        name=control["Package"],
        version=control["Version"],
        architecture=control["Architecture"],
        identity=sha256,
        file=PoolFile(place, size, sha256),
        entry="\n".join(lines) + "\n",
        listing=_located(listing, control),
        remark=remark,
    )


def _check_fields(path: Path, control: Deb822) -> None:
    wanted = {"Package": NAME, "Version": VERSION, "Architecture": ARCHITECTURE}
    for field, pattern in wanted.items():
        if not pattern.fullmatch(control.get(field, "")):
            raise DamagedPackageError(path, f"{field} is {control.get(field)!r}")


def _control(name: str, part: Readable) -> Deb822:
    found = None
    with members(name, part, CONTROL_BYTES) as every:
        for member, file in every:
            if member.name.removeprefix("./") == "control" and file:
                if member.size > CONTROL_FILE_BYTES:
                    raise ValueError(f"its control file is larger than {CONTROL_FILE_BYTES} bytes")
                found = file.read()
    if found is None:
        raise ValueError("it has no control file")
    return Deb822(_checked_text("its control file", found))


def _checked_text(what: str, content: bytes) -> str:
    """Return a control file as text that has the same lines for every reader. Raises ValueError."""
    text = content.decode()
    if match := UNPRINTABLE.search(text.replace("\n", "").replace("\t", "")):
        raise ValueError(f"{what} has the control character {match[0]!r}")
    return text


def _refuse_fields(what: str, paragraph: Deb822, fields: Iterable[str]) -> None:
    """Refuse what the index says itself: apt takes either of two fields of one name. Raises ValueError."""
    for field in fields:
        if field in paragraph:
            raise ValueError(f"{what} has the field {field}, which is the index's to say")


def _listing(name: str, part: Readable) -> list[str]:
    """Return the paths of what the package installs, folders left out. Raises ValueError."""
    with members(name, part, DATA_BYTES) as every:
        names = [member.name.removeprefix("./") for member, _ in every if not member.isdir()]
    if bad := next((name for name in names if UNPRINTABLE.search(name)), None):
        raise ValueError(f"it installs a path that no line of an index can hold: {bad!a}")
    return sorted(names)


def _located(listing: list[str], control: Deb822) -> str:
    """Return the package's lines of Contents: each path, a tab, section and name."""
    section = control.get("Section", "misc")
    return "".join(f"{path}\t{section}/{control['Package']}\n" for path in listing)


def _description_md5(description: str) -> str:
    """Return the name by which apt finds a translation; no matter of trust."""
    return hashlib.md5(f"{description}\n".encode(), usedforsecurity=False).hexdigest()


def _split_description(control: Deb822) -> tuple[str, str]:
    """Return the first line of the description, and the paragraph of Translation-en with all of it."""
    description = control.get("Description", "")
    if not description:
        return "", ""
    known = _description_md5(description)
    text = f"Package: {control['Package']}\nDescription-md5: {known}\nDescription-en: {description}\n"
    return description.split("\n", 1)[0], text


def read_dsc(path: Path, place: str, sha256: str) -> Package:
    """Return what Sources says of the source package at `path`, whose files lie beside it.

    Raises DamagedPackageError when one is missing or not as the .dsc says.
    """
    try:
        dsc = Dsc(_checked_text("it", path.read_bytes()))
        _refuse_fields("it", dsc, OF_SOURCES)
        listed = [(part["name"], int(part["size"]), part["sha256"]) for part in dsc["Checksums-Sha256"]]
        name, version = dsc["Source"], dsc["Version"]
    except BAD as error:
        raise DamagedPackageError(path, f"no source package: {error}") from error
    if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
        raise DamagedPackageError(path, f"Source is {name!r}, Version {version!r}")
    folder = place.rsplit("/", 1)[0]
    for part, size, wanted in listed:
        _check_part(path, part, size, wanted)
    size = path.stat().st_size
    return Package(
        name=name,
        version=version,
        architecture="source",
        identity=sha256,
        file=PoolFile(place, size, sha256),
        entry=_source_entry(dsc, PoolFile(path.name, size, sha256), _md5(path)),
        parts=tuple(PoolFile(f"{folder}/{part}", size, wanted) for part, size, wanted in listed),
    )


def _check_part(dsc: Path, name: str, size: int, sha256: str) -> None:
    part = dsc.with_name(name)
    if not FILE_NAME.fullmatch(name):
        raise DamagedPackageError(dsc, f"names a file {name!r}")
    if not part.exists():
        raise DamagedPackageError(dsc, f"{name} is missing")
    if not is_regular(part):
        raise DamagedPackageError(dsc, f"{name} is no regular file")
    if part.stat().st_size != size or sha256_of(part) != sha256:
        raise DamagedPackageError(dsc, f"{name} is not what it says")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _source_entry(dsc: Dsc, itself: PoolFile, md5: str) -> str:
    """Return the paragraph of Sources without Directory: the .dsc's, renamed, and the .dsc among the files."""
    lines = [f"Package: {dsc['Source']}"]
    for key in dsc:
        match key:
            case "Source" | "Checksums-Sha1":
                pass
            case "Files":
                rows = [(part["md5sum"], part["size"], part["name"]) for part in dsc[key]]
                lines += _rows("Files", [(md5, itself.size_bytes, itself.path), *rows])
            case "Checksums-Sha256":
                rows = [(part["sha256"], part["size"], part["name"]) for part in dsc[key]]
                lines += _rows(key, [(itself.sha256, itself.size_bytes, itself.path), *rows])
            case _:
                lines.append(f"{key}: {dsc.get_as_string(key)}".rstrip())
    return "\n".join(lines) + "\n"


def _rows(field: str, rows: list[tuple[str, object, str]]) -> list[str]:
    return [f"{field}:", *(f" {digest} {size} {name}" for digest, size, name in rows)]
