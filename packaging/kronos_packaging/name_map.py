"""packaging/name_map.toml: how Debian's names and places are called on Fedora, declared once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping  # noqa: TC003 -- get_type_hints evaluates it
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from kronos_packaging.declarations import ROOM, DeclarationError

if TYPE_CHECKING:
    from pathlib import Path

NAME_MAP = ROOM / "name_map.toml"


@dataclass(frozen=True)
class NameMap:
    """The file's tables. Those of lists give other names, those of strings a place or a reason."""

    depends: Mapping[str, tuple[str, ...]]
    not_on_fedora: Mapping[str, str]
    not_on_debian: Mapping[str, str]
    paths: Mapping[str, str]
    only_on_debian: Mapping[str, str]
    only_on_fedora: Mapping[str, str]
    other_content: Mapping[str, str]
    build: Mapping[str, tuple[str, ...]]


def load_name_map(path: Path = NAME_MAP) -> NameMap:
    """Return the declared map. Raises DeclarationError naming what is wrong with the file."""
    try:
        raw = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{path.name}: {error}") from error
    hints = get_type_hints(NameMap)
    names = [field.name for field in fields(NameMap)]
    if wrong := raw.keys() ^ set(names):
        what = "unknown" if wrong & raw.keys() else "missing"
        raise DeclarationError(f"{path.name}: {what} tables: {', '.join(sorted(wrong))}")
    tables: dict[str, Any] = {}
    for name in names:
        of_lists = get_origin(get_args(hints[name])[1]) is tuple
        tables[name] = _table(raw[name], f"{path.name}: [{name}]", of_lists=of_lists)
    return NameMap(**tables)


def _table(raw: object, where: str, *, of_lists: bool) -> dict[str, object]:
    if not isinstance(raw, dict):
        raise DeclarationError(f"{where} is a table")
    table: dict[str, object] = {}
    for key, value in raw.items():
        if of_lists and isinstance(value, list) and all(isinstance(item, str) for item in value):
            table[key] = tuple(value)
        elif not of_lists and isinstance(value, str) and value:
            table[key] = value
        else:
            raise DeclarationError(f"{where}: {key} is a {'list of strings' if of_lists else 'string'}")
    return table
