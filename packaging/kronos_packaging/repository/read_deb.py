"""A .deb or .dsc in, what apt's indexes say of it out (deb(5), deb-src-control(5), Debian's repository format)."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import re
import tarfile
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from debian.arfile import ArError, ArFile
from debian.deb822 import Deb822, Dsc

from kronos_packaging.repository.errors import DamagedPackageError
from kronos_packaging.repository.model import Package, PoolFile, sha256_of
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
VERSION = re.compile(r"(\d+:)?[0-9][A-Za-z0-9.+~-]*")
ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]*")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^%-]*")
BAD = (ArError, OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError, zlib.error, KeyError)


def read_deb(path: Path, place: str, sha256: str) -> Package:
    """Return what an index says of the .deb at `path`, which will be published as `place`.

    Every byte of both its tars is read. Raises DamagedPackageError.
    """
    try:
        with path.open("rb") as file:
            archive = ArFile(fileobj=file)
            parts = archive.getmembers()
            if [part.name.split(".")[0] for part in parts] != ["debian-binary", "control", "data"]:
                raise DamagedPackageError(path, "is not debian-binary, control and data")
            control = _control(parts[1].name, parts[1].read())
            listing = _listing(parts[2].name, parts[2].read())
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


@contextmanager
def _unpacked(name: str, content: bytes) -> Iterator[IO[bytes]]:
    """Give the tar inside one part of a .deb."""
    packed = io.BytesIO(content)
    match Path(name).suffix:
        case ".tar":
            yield packed
        case ".gz":
            with gzip.open(packed) as plain:
                yield cast("IO[bytes]", plain)
        case ".xz":
            with lzma.open(packed) as plain:
                yield plain
        case ".zst":  # Ubuntu's; Python reads it from 3.14 on
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "packed").write_bytes(content)
                argv = ["zstd", "--decompress", "--quiet", "-o", f"{folder}/plain", f"{folder}/packed"]
                try:
                    run(argv)
                except KronosError as error:
                    raise ValueError(str(error)) from error
                with Path(folder, "plain").open("rb") as file:
                    yield file
        case other:
            raise ValueError(f"{name}: compressed as nobody here knows: {other}")


def _control(name: str, content: bytes) -> Deb822:
    with _unpacked(name, content) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        found = None
        for member in tar:
            if member.name.removeprefix("./") == "control" and (file := tar.extractfile(member)):
                found = file.read()
        _drain(plain)
    if found is None:
        raise ValueError("it has no control file")
    return Deb822(found.decode())


def _listing(name: str, content: bytes) -> list[str]:
    with _unpacked(name, content) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        names = [member.name.removeprefix("./") for member in tar if not member.isdir()]
        _drain(plain)
    return sorted(names)


def _drain(plain: IO[bytes]) -> None:
    """Read to the end, where the checksum is."""
    while plain.read(1 << 20):
        pass


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
        dsc = Dsc(path.read_text())
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
    if not part.is_file():
        raise DamagedPackageError(dsc, f"{name} is missing")
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
