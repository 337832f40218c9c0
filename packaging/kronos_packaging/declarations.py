"""Components and targets: what is built, and for which release. Read from TOML, checked, frozen."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from xapi_shim.base.errors import KronosError

ROOM = Path(__file__).resolve().parents[1]
REPO = ROOM.parent

T = TypeVar("T")


class DeclarationError(KronosError):
    """A declaration cannot be used; names the file and the key."""


class Source(StrEnum):
    """Where a component comes from."""

    TREE = "tree"
    DISTRO = "distro"


@dataclass(frozen=True)
class Component:
    """Something that the repositories need: built from `paths` of this tree, or the distro's `package`."""

    name: str
    source: Source
    paths: tuple[str, ...] = ()
    package: str = ""


@dataclass(frozen=True)
class Target:
    """One release of a distribution."""

    name: str
    distribution: str
    release: str
    suite: str
    format: str
    architecture: str
    version_suffix: str
    python: str
    supplied: dict[str, str] = field(default_factory=dict)


def load_components(folder: Path = ROOM / "components") -> tuple[Component, ...]:
    """Return all declared components, by name. Raises DeclarationError."""
    loaded = []
    for path in sorted(folder.glob("*.toml")):
        raw = _table(path)
        try:
            raw["source"] = Source(raw.get("source", ""))
        except ValueError:
            raise DeclarationError(f"{path.name}: source is one of {', '.join(Source)}") from None
        raw["paths"] = tuple(raw.get("paths", ()))
        component = _make(Component, raw, path)
        if component.source is Source.TREE and not component.paths:
            raise DeclarationError(f"{path.name}: a component from the tree names its paths")
        if component.source is Source.DISTRO and not component.package:
            raise DeclarationError(f"{path.name}: a component from the distro names its package")
        loaded.append(component)
    return tuple(loaded)


def declared_targets(folder: Path = ROOM / "targets") -> list[str]:
    """Return the names of all targets."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_target(name: str, folder: Path = ROOM / "targets") -> Target:
    """Return a declared target. Raises DeclarationError naming those there are."""
    path = folder / f"{name}.toml"
    if not path.exists():
        known = ", ".join(declared_targets(folder))
        raise DeclarationError(f"no target {name!r}", resolution=f"there are: {known}")
    target = _make(Target, _table(path), path)
    if target.name != name:
        raise DeclarationError(f"{path.name}: its name is {target.name!r}")
    return target


def this_release(os_release: str) -> str:
    """Return the target of the machine whose os-release(5) is given. Raises DeclarationError."""
    values = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line)
    distribution, release = (values.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    if not distribution or not release:
        raise DeclarationError(
            "this machine does not say what it is", resolution="name a target: --target debian-12"
        )
    return f"{distribution}-{release}"


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise DeclarationError(f"{path.name}: {error}") from error


def _make(kind: type[T], raw: dict[str, Any], path: Path) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := raw.keys() - known.keys():
        raise DeclarationError(f"{path.name}: unknown keys: {', '.join(sorted(unknown))}")
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    if missing := needed - raw.keys():
        raise DeclarationError(f"{path.name}: missing keys: {', '.join(sorted(missing))}")
    return kind(**raw)
