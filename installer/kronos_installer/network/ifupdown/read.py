"""The host's interfaces(5) configuration, with `source` and `source-directory` followed as ifupdown does."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network.ifupdown.text import InterfacesText, Keyword, Statement, parse_interfaces
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

MAIN_FILE = "/etc/network/interfaces"
# wordexp(3) would expand these; nobody writes them there, and guessing at them is not worth it.
_SHELL = re.compile(r"[$`\"'\\~{}()<>|&;]")
# ifupdown's directory_filter(): letters, digits, `_` and `-` only.
_DIRECTORY_MEMBER = re.compile(r"[A-Za-z0-9_-]+\Z")


def read_interfaces(files: HostFiles) -> tuple[InterfacesText, ...]:
    """Return all files of the configuration in the order ifupdown meets them.

    Raises ProblemError, naming file and line, for what cannot be parsed.
    """
    seen: dict[str, InterfacesText] = {}
    if files.exists(MAIN_FILE):
        _read(files, MAIN_FILE, seen)
    return tuple(seen.values())


def _read(files: HostFiles, path: str, seen: dict[str, InterfacesText]) -> None:
    if path in seen:
        return
    try:
        state = files.state(path)
    except UnsuitableFileError as error:
        raise refusal("interfaces-unsuitable", "a part of the network configuration cannot be put back",
                      at=f"{path}:1", description=str(error), remedy=error.resolution) from error  # fmt: skip
    if state is None:
        return
    seen[path] = parse_interfaces(path, state.content.decode("latin-1"))
    for statement in seen[path].statements:
        for member in sourced_paths(files, statement):
            _read(files, member, seen)


def sourced_paths(files: HostFiles, statement: Statement) -> list[str]:
    """Return the files that a `source` or `source-directory` statement brings in, in order."""
    if statement.keyword not in (Keyword.SOURCE, Keyword.SOURCE_DIRECTORY):
        return []
    found = []
    for index, word in enumerate(statement.words):
        if _SHELL.search(word):
            raise refusal("interfaces-source", f"cannot tell which files {word!r} brings in", at=statement.at,
                          remedy="name the files without shell expansions")  # fmt: skip
        # ifupdown puts the directory before the whole line, so before its first word only.
        base = posixpath.dirname(statement.path) if index == 0 else "/"
        found += _expand(files, posixpath.normpath(posixpath.join(base, word)))
    if statement.keyword is Keyword.SOURCE_DIRECTORY:
        members = (member for directory in found for member in files.glob(f"{directory}/*"))
        found = [path for path in members if _DIRECTORY_MEMBER.match(posixpath.basename(path))]
    # ifupdown complains of a directory, and goes on.
    return [path for path in found if not files.at(path).is_dir()]


def _expand(files: HostFiles, pattern: str) -> list[str]:
    return list(files.glob(pattern))


def statements_in_order(texts: tuple[InterfacesText, ...], files: HostFiles) -> tuple[Statement, ...]:
    """Return all statements in the order in which ifupdown reads them, sourced files in their place."""
    by_path = {text.path: text for text in texts}
    order: list[Statement] = []
    entered: set[str] = set()

    def walk(path: str) -> None:
        if path in entered or path not in by_path:
            return
        entered.add(path)
        for statement in by_path[path].statements:
            order.append(statement)
            for member in sourced_paths(files, statement):
                walk(member)

    walk(MAIN_FILE)
    return tuple(order)
