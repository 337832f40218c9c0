"""Packages by the thousand to fill repositories with: small, each with content of its own, made in seconds."""

from __future__ import annotations

import io
import lzma
import os
import tarfile
from typing import TYPE_CHECKING

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILES = 10
DATE_S = 1_700_000_000
# Packages of one rpmbuild: its time grows faster than their number.
AT_ONCE = 50
CONTROL = """\
Package: {name}
Version: 1.0-1
Architecture: amd64
Maintainer: Nobody <nobody@example.org>
Section: admin
Priority: optional
Depends: libc6 (>= 2.36), adduser
Description: package {name} of a benchmark
 It installs {files} files that nobody needs.
"""
# Nothing is looked for in the files: neither what they need, nor debug information.
SPEC_HEAD = """\
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
Name: bench
Version: 1.0
Release: 1
Summary: packages of a benchmark
License: MIT
BuildArch: noarch
%description
Packages of a benchmark.
%install
cp --recursive %{content}/. %{buildroot}
"""
SPEC_PACKAGE = """\
%package -n {name}
Summary: package {name} of a benchmark
AutoReqProv: no
Requires: bash
%description -n {name}
It installs {files} files that nobody needs.
%files -n {name}
/usr/share/{name}
"""


def names_of(count: int, stem: str = "bench") -> list[str]:
    """Return names that sort in the order in which they are counted."""
    return [f"{stem}-{number:05}" for number in range(count)]


def content_of(name: str) -> dict[str, bytes]:
    """Return what a package installs: path to content, none like another's."""
    return {f"usr/share/{name}/file-{n}": f"{name} {n}\n".encode() * 20 for n in range(FILES)}


def make_debs(folder: Path, names: Sequence[str]) -> list[Path]:
    """Write a .deb (deb(5)) for each name; return them in that order."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_make_deb(folder / f"{name}_1.0-1_amd64.deb", name) for name in names]


def _make_deb(path: Path, name: str) -> Path:
    control = {"control": CONTROL.format(name=name, files=FILES).encode()}
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": _tar(control),
        "data.tar.xz": _tar(content_of(name)),
    }
    with path.open("wb") as file:
        file.write(b"!<arch>\n")
        for part, content in parts.items():
            file.write(f"{part:<16}{DATE_S:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode())
            file.write(content + b"\n" * (len(content) % 2))
    return path


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size, member.mtime = len(content), DATE_S
            tar.addfile(member, io.BytesIO(content))
    return lzma.compress(packed.getvalue(), preset=0)


def make_rpms(folder: Path, names: Sequence[str], scratch: Path) -> list[Path]:
    """Write an .rpm for each name, many by one rpmbuild; return them in that order. Raises ProcessError."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(names), AT_ONCE):
        _run_rpmbuild(folder, names[start : start + AT_ONCE], scratch / str(start))
    return [folder / f"{name}-1.0-1.noarch.rpm" for name in names]


def _run_rpmbuild(folder: Path, names: Sequence[str], scratch: Path) -> None:
    content = scratch / "content"
    for name in names:
        for path, text in content_of(name).items():
            place = content / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
    spec = scratch / "bench.spec"
    spec.write_text(SPEC_HEAD + "".join(SPEC_PACKAGE.format(name=name, files=FILES) for name in names))
    macros = {
        "_topdir": os.fspath(scratch), "_rpmdir": os.fspath(folder), "content": os.fspath(content),
        "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    }  # fmt: skip
    defines = [word for key, value in macros.items() for word in ("--define", f"{key} {value}")]
    run(["rpmbuild", "-bb", "--quiet", "--target=noarch", *defines, spec])
