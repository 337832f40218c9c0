"""Whether the Debian and the rpm packages of this tree are the same packages: files, dependencies, configuration.

What may differ is declared with its reason in packaging/name_map.toml; all else is a difference.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from debian.deb822 import PkgRelation
from debian.debfile import DebFile

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from kronos_packaging.name_map import NameMap

# The bytecode that rpm packages own, and Debian's are made without.
BYTECODE = "/__pycache__/"
# What rpm adds for itself (rpm's doc/manual/dependencies).
RPMS_OWN = ("rpmlib(", "config(")
FILE_ROW = "[%{FILENAMES}\\t%{FILEMODES}\\t%{FILEFLAGS:fflags}\\n]"


@dataclass(frozen=True)
class Contents:
    """What a package holds: files and empty folders below /, names it depends on, its configuration files."""

    name: str
    places: frozenset[str]
    depends: frozenset[str]
    config: frozenset[str]


def read_deb(path: Path) -> Contents:
    """Return what a .deb holds (deb(5), deb-conffiles(5))."""
    with DebFile(path) as deb:
        control, held = deb.debcontrol(), deb.control
        conffiles = held.get_content("conffiles", encoding="utf-8") if held.has_file("conffiles") else ""
        members = {member.name.removeprefix("./"): member.isdir() for member in deb.data.tgz().getmembers()}
    depends = control.get("Depends", "")
    relations = PkgRelation.parse_relations(depends) if depends else []
    names = frozenset(one["name"] for alternatives in relations for one in alternatives[:1])
    config = frozenset(place.removeprefix("/") for place in str(conffiles).split())
    return Contents(control["Package"], _leaves(members), names, config)


def read_rpm(path: Path) -> Contents:
    """Return what an .rpm holds (rpm(8), QUERY OPTIONS). Raises ProcessError."""

    def asked(form: str) -> list[str]:
        argv: list[str | Path] = [
            "rpm",
            "--query",
            "--package",
            "--nosignature",
            f"--queryformat={form}",
            path,
        ]
        return run(argv).stdout.splitlines()

    rows = [line.split("\t") for line in asked(FILE_ROW) if line.count("\t") == 2]
    members = {name.removeprefix("/"): stat.S_ISDIR(int(mode)) for name, mode, _ in rows}
    config = frozenset(name.removeprefix("/") for name, _, flags in rows if "c" in flags)
    depends = frozenset(n for n in asked("[%{REQUIRENAME}\\n]") if n and not n.startswith(RPMS_OWN))
    return Contents(asked("%{NAME}")[0], _leaves(members), depends, config)


def _leaves(members: Mapping[str, bool]) -> frozenset[str]:
    """Return the files, and the folders with nothing in them, from places and whether they are folders."""
    places = {name.strip("/"): folder for name, folder in members.items() if name.strip("/.")}
    parents = {name.rpartition("/")[0] for name in places}
    return frozenset(name for name, folder in places.items() if not folder or name not in parents)


def differences(
    debs: Iterable[Contents], rpms: Iterable[Contents], names: NameMap, python: str
) -> tuple[str, ...]:
    """Return what is not the same on both sides, a sentence each: pure. `python` is the rpm release's version."""
    ours, theirs = ({one.name: one for one in side} for side in (debs, rpms))
    said = [f"{name}: there is no rpm of it" for name in sorted(ours.keys() - theirs.keys())]
    said += [f"{name}: there is no deb of it" for name in sorted(theirs.keys() - ours.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        deb, rpm = ours[name], theirs[name]
        said += _of_places(name, "file", deb.places, rpm.places, names, python)
        said += _of_places(name, "configuration file", deb.config, rpm.config, names, python)
        said += _of_depends(deb, rpm, names, frozenset(ours))
    return tuple(said)


def _of_places(
    package: str, kind: str, deb: frozenset[str], rpm: frozenset[str], names: NameMap, python: str
) -> list[str]:
    wanted = {_moved(place, names, python) for place in deb if not _below(place, names.only_on_debian)}
    found = {place for place in rpm if BYTECODE not in place and not _below(place, names.only_on_fedora)}
    said = [f"{package}: the rpm lacks the {kind} /{place}" for place in sorted(wanted - found)]
    return said + [f"{package}: the deb lacks the {kind} /{place}" for place in sorted(found - wanted)]


def _below(place: str, beginnings: Mapping[str, str]) -> bool:
    return any(f"{place}/".startswith(beginning) for beginning in beginnings)


def _moved(place: str, names: NameMap, python: str) -> str:
    """Return where a Debian file is on Fedora."""
    for beginning, other in names.paths.items():
        if place.startswith(beginning):
            return other.replace("{python}", python) + place.removeprefix(beginning)
    return place


def _of_depends(deb: Contents, rpm: Contents, names: NameMap, ours: frozenset[str]) -> list[str]:
    said = []
    explained = set(names.not_on_debian)
    for need in sorted(deb.depends):
        same = (need,) if need in ours else names.depends.get(need, ())
        explained.update(same)
        if need not in names.not_on_fedora and not rpm.depends.intersection(same):
            said.append(f"{deb.name}: the deb depends on {need}, the rpm on nothing of the kind")
    return said + [
        f"{deb.name}: the rpm depends on {need}, the deb on nothing of the kind"
        for need in sorted(rpm.depends - explained)
    ]
