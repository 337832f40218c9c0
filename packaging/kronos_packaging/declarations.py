"""Components and targets: what is built, and for which release. Read from TOML, checked, frozen.

docs/packaging.md walks through adding one of each.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from xapi_shim.base.errors import KronosError

ROOM = Path(__file__).resolve().parents[1]
REPO = ROOM.parent
NAME = re.compile(r"[a-z0-9][a-z0-9.+-]*")
CHECKSUM = re.compile(r"[0-9a-f]+")

T = TypeVar("T")


class DeclarationError(KronosError):
    """A declaration cannot be used; names the file and the key."""

    exit_status = 2


class Format(StrEnum):
    """What packages a target takes."""

    DEB = "deb"
    RPM = "rpm"


class Source(StrEnum):
    """Where a component's source comes from."""

    TREE = "tree"
    DISTRO = "distro-source"
    UPSTREAM = "upstream"


# What a recipe of each kind says, beside what all may say.
NEEDED = {
    Source.TREE: ("paths",),
    Source.DISTRO: ("package", "revision", "changes"),
    Source.UPSTREAM: ("version", "url", "spec"),
}


@dataclass(frozen=True)
class Recipe:
    """How a component becomes packages of one format.

    `paths` are what of this tree goes in (and so decides whether it must be built again). A
    distro's source `package` is changed by appending `fragment` to its file `fragment_place`,
    and by `patches`; `revision` is ours and `changes` our changelog entry. An upstream tarball
    has its `url` and its sha256 or sha512; `spec` is ours.
    """

    source: Source
    paths: tuple[str, ...] = ()
    package: str = ""
    fragment: str = ""
    fragment_place: str = ""
    patches: tuple[str, ...] = ()
    revision: str = ""
    changes: tuple[str, ...] = ()
    spec: str = ""
    version: str = ""
    url: str = ""
    sha256: str = ""
    sha512: str = ""
    profiles: tuple[str, ...] = ()

    @property
    def own_paths(self) -> tuple[str, ...]:
        """What of this tree the packages are made of."""
        named = (*self.paths, self.fragment, *self.patches, self.spec)
        return tuple(path for path in named if path)


@dataclass(frozen=True)
class Component:
    """Something that the repositories hold, and the components whose packages its build needs."""

    name: str
    needs: tuple[str, ...] = ()
    deb: Recipe | None = None
    rpm: Recipe | None = None

    def recipe(self, wanted: Format) -> Recipe | None:
        """Return how its packages of a format are made; None when the distro's own do."""
        return self.deb if wanted is Format.DEB else self.rpm


@dataclass(frozen=True)
class Target:
    """One release of a distribution.

    `builds` names the components built for it, `supplied` what the distro itself supplies well
    enough, `pins` exact versions of distro sources (the newest, unless pinned).
    """

    name: str
    distribution: str
    release: str
    suite: str
    format: Format
    architecture: str
    version_suffix: str
    python: str
    builds: tuple[str, ...]
    keyring: str = ""
    keyring_package: str = ""
    archive_components: tuple[str, ...] = ("main",)
    supplied: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, str] = field(default_factory=dict)


def load_components(folder: Path = ROOM / "components") -> tuple[Component, ...]:
    """Return all declared components, by name. Raises DeclarationError."""
    return tuple(_component(path) for path in sorted(folder.glob("*.toml")))


def _component(path: Path) -> Component:
    raw = _table(path)
    for wanted in Format:
        if wanted in raw:
            raw[wanted] = _recipe(raw[wanted], f"{path.name}: [{wanted}]")
    component = _make(Component, raw, path.name)
    _named_as_file(component.name, path)
    if component.deb is None and component.rpm is None:
        raise DeclarationError(f"{path.name}: has neither [deb] nor [rpm]")
    return component


def _recipe(raw: object, where: str) -> Recipe:
    if not isinstance(raw, dict):
        raise DeclarationError(f"{where}: is a table")
    try:
        source = Source(raw.get("source", ""))
    except ValueError:
        raise DeclarationError(f"{where}: source is one of {', '.join(Source)}") from None
    recipe = _make(Recipe, {**raw, "source": source}, where)
    if missing := [key for key in NEEDED[source] if not getattr(recipe, key)]:
        raise DeclarationError(f"{where}: source {source} needs {', '.join(missing)}")
    if source is Source.UPSTREAM:
        _checked_digest(recipe, where)
    if bool(recipe.fragment) != bool(recipe.fragment_place):
        raise DeclarationError(f"{where}: fragment and fragment_place go together")
    if absent := [name for name in recipe.own_paths if not (REPO / name).exists()]:
        raise DeclarationError(f"{where}: no such file in this tree: {', '.join(absent)}")
    return recipe


def _checked_digest(recipe: Recipe, where: str) -> None:
    given = {"sha256": (recipe.sha256, 64), "sha512": (recipe.sha512, 128)}
    if not recipe.sha256 and not recipe.sha512:
        raise DeclarationError(f"{where}: source {recipe.source} needs sha256 or sha512")
    for name, (value, length) in given.items():
        if value and not (len(value) == length and CHECKSUM.fullmatch(value)):
            raise DeclarationError(f"{where}: {name} is {length} hexadecimal digits")


def declared_targets(folder: Path = ROOM / "targets") -> list[str]:
    """Return the names of all targets."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def first_target(kind: Format) -> Target:
    """Return the first target, by name, whose packages are of a format."""
    return next(target for target in map(load_target, declared_targets()) if target.format is kind)


def load_target(name: str, folder: Path = ROOM / "targets") -> Target:
    """Return a declared target. Raises DeclarationError naming those there are."""
    path = folder / f"{name}.toml"
    if not NAME.fullmatch(name) or not path.exists():
        known = ", ".join(declared_targets(folder))
        raise DeclarationError(f"no target {name!r}", resolution=f"there are: {known}")
    raw = _table(path)
    try:
        raw["format"] = Format(raw.get("format", ""))
    except ValueError:
        raise DeclarationError(f"{path.name}: format is one of {', '.join(Format)}") from None
    target = _make(Target, raw, path.name)
    _named_as_file(target.name, path)
    if target.format is Format.DEB and not (target.keyring and target.keyring_package):
        raise DeclarationError(f"{path.name}: a release with apt names its keyring and keyring_package")
    return target


def components_of(target: Target, components: tuple[Component, ...]) -> tuple[Component, ...]:
    """Return the components built for `target`, and all that they need. Raises DeclarationError."""
    known = {component.name: component for component in components}
    wanted: dict[str, Component] = {}
    todo = list(target.builds)
    while todo:
        name = todo.pop(0)
        component = known.get(name)
        if component is None or component.recipe(target.format) is None:
            what = f"no {target.format} recipe of" if component else "no"
            raise DeclarationError(f"{target.name}: there is {what} component {name!r}")
        if name not in wanted:
            wanted[name] = component
            todo += component.needs
    return tuple(sorted(wanted.values(), key=lambda component: component.name))


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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path.name}: {error}") from error


def _named_as_file(name: str, path: Path) -> None:
    if name != path.stem:
        raise DeclarationError(f"{path.name}: its name is {name!r}")
    if not NAME.fullmatch(name):
        raise DeclarationError(f"{path.name}: a name is of a-z, 0-9 and .+-")


def _make(kind: type[T], raw: dict[str, Any], where: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if unknown := raw.keys() - known.keys():
        raise DeclarationError(f"{where}: unknown keys: {', '.join(sorted(unknown))}")
    needed = {n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING}
    if missing := needed - raw.keys():
        raise DeclarationError(f"{where}: missing keys: {', '.join(sorted(missing))}")
    hints = get_type_hints(kind)
    return kind(**{name: _typed(value, hints[name], f"{where}: {name}") for name, value in raw.items()})


def _typed(value: object, hint: object, where: str) -> object:
    """Return a TOML value as the type of its field. Raises DeclarationError."""
    if get_origin(hint) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise DeclarationError(f"{where} is a list of strings")
    if get_origin(hint) is Mapping:
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return MappingProxyType(dict(value))
        raise DeclarationError(f"{where} is a table of strings")
    allowed = get_args(hint) or (hint,)
    if not isinstance(value, tuple(kind for kind in allowed if isinstance(kind, type))):
        raise DeclarationError(f"{where} is a string")
    return value
