"""An .rpm in, what yum's indexes say of it out; signing it (rpm(8), rpmkeys(8), rpmsign(8), createrepo_c(8))."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.repository import yum_index
from kronos_packaging.repository.errors import DamagedPackageError, SignatureError
from kronos_packaging.repository.model import Package, PoolFile
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_packaging.repository.signer import Signer

# What one program is given at a time: far below the kernel's limit on arguments.
BATCH = 200
TAGS = (
    "NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SOURCEPACKAGE", "SHA256HEADER",
    "DSAHEADER:pgpsig", "RSAHEADER:pgpsig",
)  # fmt: skip
KEY_ID = re.compile(r"Key ID ([0-9a-f]{16})", re.IGNORECASE)
VERSION = re.compile(r"[A-Za-z0-9._+~^:-]+")


@dataclass(frozen=True)
class Header:
    """What an .rpm says of itself; `header_sha256` stays when it is signed, `key_id` is "" until then."""

    name: str
    version: str
    architecture: str
    header_sha256: str
    key_id: str


def read_headers(paths: Sequence[Path]) -> list[Header]:
    """Return the headers of packages, in their order. Raises DamagedPackageError naming the first bad one."""
    found: list[Header] = []
    for batch in batches(paths):
        names = [os.fspath(path) for path in batch]
        _check_digests(batch, names)
        form = "\t".join(f"%{{{tag}}}" for tag in TAGS) + "\n"
        told = run(["rpm", "--query", "--package", "--nosignature", f"--queryformat={form}", *names]).stdout
        found += [_header(line) for line in told.splitlines()]
    return found


def _check_digests(batch: Sequence[Path], names: list[str]) -> None:
    """Let rpm compare header and payload with the digests in the package."""
    if run(["rpmkeys", "--checksig", "--nosignature", *names], check=False).returncode == 0:
        return
    for path, name in zip(batch, names, strict=True):
        done = run(["rpmkeys", "--checksig", "--nosignature", name], check=False)
        if done.returncode != 0:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
            raise DamagedPackageError(path, last.removeprefix(f"{name}: "))


def _header(line: str) -> Header:
    name, epoch, version, release, architecture, is_source, header_sha256, *signatures = line.split("\t")
    keys = [match.group(1).lower() for text in signatures if (match := KEY_ID.search(text))]
    return Header(
        name=name,
        version=f"{epoch}:{version}-{release}",
        architecture="src" if is_source == "1" else architecture,
        header_sha256=header_sha256,
        key_id=keys[0] if keys else "",
    )


def sign_packages(paths: Sequence[Path], signer: Signer, *, again: bool = False) -> None:
    """Sign those of our own copies that are unsigned, or all of them anew (`again`), by the oldest key.

    Raises SignatureError for one that somebody else signed, DamagedPackageError.
    """
    headers = read_headers(paths)
    ours = tuple(key.fingerprint.lower() for key in signer.signing_keys())
    for path, header in zip(paths, headers, strict=True):
        if header.key_id and not again and not any(key.endswith(header.key_id) for key in ours):
            raise SignatureError(path, f"made by the key {header.key_id}, which is not ours")
    todo = [path for path, header in zip(paths, headers, strict=True) if again or not header.key_id]
    for batch in batches(todo):
        run(sign_argv(signer.home, ours[0], batch))


def sign_argv(home: Path, fingerprint: str, paths: Sequence[Path]) -> list[str]:
    """Return the command that signs packages, over an older signature if there is one."""
    macros = {
        "_gpg_name": fingerprint.upper(),
        "_gpg_path": os.fspath(home),
        # Debian's rpm looks for a gpg2 that Debian does not have.
        "__gpg": shutil.which("gpg") or "/usr/bin/gpg",
    }
    defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    return ["rpmsign", *defines, "--addsign", *(os.fspath(path) for path in paths)]


def check_signatures(paths: Sequence[Path], armored: Path) -> list[tuple[Path, str]]:
    """Return the packages that none of the armored keys vouches for, and what rpm says of each."""
    bad: list[tuple[Path, str]] = []
    with tempfile.TemporaryDirectory() as database:
        keys = ["rpmkeys", "--dbpath", database]
        run([*keys, "--import", os.fspath(armored)])
        check = [*keys, "--define", "_pkgverify_level all", "--checksig"]
        for batch in batches(paths):
            if run([*check, *map(os.fspath, batch)], check=False).returncode != 0:
                for path in batch:
                    done = run([*check, os.fspath(path)], check=False)
                    if done.returncode != 0:
                        said = (done.stdout.strip() or done.stderr.strip()).splitlines()[-1]
                        bad.append((path, said.removeprefix(f"{path}: ")))
    return bad


def read_rpms(files: Sequence[tuple[Path, str, str]]) -> Iterator[Package]:
    """Yield what the indexes say of packages given as path, place and sha256, in their order."""
    headers = read_headers([path for path, _, _ in files])
    elements = _elements([path for path, _, _ in files])
    for (path, place, sha256), header in zip(files, headers, strict=True):
        if sha256 not in elements:
            raise DamagedPackageError(path, "createrepo_c cannot read it")
        primary, listing, remark = elements[sha256]
        yield Package(
            name=header.name,
            version=header.version,
            architecture=header.architecture,
            identity=header.header_sha256,
            file=PoolFile(place, path.stat().st_size, sha256),
            entry=yum_index.located(primary, place),
            listing=listing,
            remark=remark,
        )


def _elements(paths: Sequence[Path]) -> dict[str, tuple[str, str, str]]:
    """Return the elements of primary, filelists and other of each package, by its sha256."""
    if not paths:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for number, path in enumerate(paths):
            Path(folder, f"{number}.rpm").symlink_to(path.absolute())
        options = ["--quiet", "--no-database", "--simple-md-filenames", "--general-compress-type=gz"]
        run(["createrepo_c", *options, "--workers=2", folder])
        texts = {
            kind: gzip.decompress(Path(folder, "repodata", f"{kind}.xml.gz").read_bytes()).decode()
            for kind in yum_index.KINDS
        }
    split = {kind: yum_index.split(text) for kind, text in texts.items()}
    pkgid = re.compile(r'pkgid="([0-9a-f]{64})"')
    checksum = re.compile(r'<checksum type="sha256" pkgid="YES">([0-9a-f]{64})<')
    by_id = {
        kind: {match.group(1): text for text in split[kind] if (match := pkgid.search(text))}
        for kind in ("filelists", "other")
    }
    primary = {match.group(1): text for text in split["primary"] if (match := checksum.search(text))}
    return {
        sha256: (text, by_id["filelists"][sha256], by_id["other"][sha256]) for sha256, text in primary.items()
    }


def oldest_first(groups: Sequence[set[str]]) -> list[list[str]]:
    """Return each set of epoch:version-release sorted as rpm sorts them, in one run of rpm."""
    if not groups:
        return []
    # The versions come from packages: only what a version may consist of reaches the program.
    if bad := [version for group in groups for version in group if not VERSION.fullmatch(version)]:
        raise ValueError(f"no version of a package: {bad[0]!r}")
    tables = ",".join("{" + ",".join(f'"{version}"' for version in sorted(group)) + "}" for group in groups)
    script = (
        f"for _, g in ipairs({{{tables}}}) do "
        "table.sort(g, function(a, b) return rpm.vercmp(a, b) < 0 end) "
        'print(table.concat(g, " ") .. "\\n") end'
    )
    told = run(["rpm", "--eval", f"%{{lua:{script}}}"]).stdout
    return [line.split() for line in told.splitlines() if line.strip()]


def batches(paths: Sequence[Path]) -> Iterator[Sequence[Path]]:
    """Yield `paths` in groups that fit on a command line."""
    for start in range(0, len(paths), BATCH):
        yield paths[start : start + BATCH]
