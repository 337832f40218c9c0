"""Which units there are: four directories, the first with a name wins; drop-ins; masked names. systemd.network(5)."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from kronos_installer.detect.precedence import in_order, systemd_folders
from kronos_installer.host_files import FileState, HostFiles, UnsuitableFileError
from kronos_installer.network.networkd.unit_text import Section, parse_unit
from kronos_installer.problem import refusal

DIRECTORIES = systemd_folders("systemd/network")
# netplan(8) makes them anew at each boot: its files are the configuration, not these.
_FROM_NETPLAN = "/run/systemd/network/10-netplan-"


@dataclass(frozen=True)
class Unit:
    """A .network, .netdev or .link file with its drop-ins' sections after its own."""

    name: str
    path: str
    sections: tuple[Section, ...]
    files: tuple[str, ...]

    def all(self, section: str, key: str) -> tuple[str, ...]:
        """Return all values of a key in order, in all sections of that name."""
        return tuple(x.value for s in self.sections if s.name == section for x in s.settings if x.key == key)

    def last(self, section: str, key: str) -> str:
        """Return the value that counts for a key of one value, "" without one."""
        return (self.all(section, key) or ("",))[-1]

    def words(self, section: str, key: str) -> tuple[str, ...]:
        """Return the words of a list; an empty assignment forgets those before it."""
        found: list[str] = []
        for value in self.all(section, key):
            found = [*found, *value.split()] if value else []
        return tuple(found)

    @property
    def at_match(self) -> str:
        """File and line that say what the unit is for."""
        return next((s.at for s in self.sections if s.name == "Match"), f"{self.path}:1")

    @property
    def from_package(self) -> bool:
        """Whether a package brought it, not somebody on this host."""
        return self.path.startswith(("/usr/lib/", "/lib/"))


def read_units(files: HostFiles, suffix: str) -> tuple[Unit, ...]:
    """Return the units with `suffix` (".network") in the order in which they are tried.

    Raises ProblemError, naming file and line, for what cannot be parsed or is not a regular file.
    """
    units = []
    for path in _paths(files, f"*{suffix}"):
        name = posixpath.basename(path)
        own = _content(files, path)
        if own is None:
            continue
        sections = list(parse_unit(path, own))
        sources = [path]
        for drop_in in _paths(files, f"{name}.d/*.conf"):
            more = _content(files, drop_in)
            if more is not None:
                sections += parse_unit(drop_in, more)
                sources.append(drop_in)
        units.append(Unit(name, path, tuple(sections), tuple(sources)))
    return tuple(units)


def _paths(files: HostFiles, pattern: str) -> tuple[str, ...]:
    return in_order(files, DIRECTORIES, pattern, but=_FROM_NETPLAN)


def _content(files: HostFiles, path: str) -> str | None:
    """Return a unit's text, None where it masks the name: an empty file or a link to /dev/null."""
    state = unit_state(files, path)
    return state.content.decode("latin-1") if state is not None and state.content else None


def unit_state(files: HostFiles, path: str) -> FileState | None:
    """Return the file as it is put back; None for nothing there and for a link to /dev/null."""
    where = files.at(path)
    if where.is_symlink() and str(where.readlink()) == "/dev/null":
        return None
    try:
        return files.state(path)
    except UnsuitableFileError as error:
        raise refusal("networkd-unsuitable", "a unit is not a regular file", at=f"{path}:1", description=str(error),
                      remedy=error.resolution) from error  # fmt: skip
