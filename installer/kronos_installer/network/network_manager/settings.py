"""NetworkManager.conf(5) and its snippets: which devices are managed, and the defaults of all connections."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.network.network_manager.keyfile import Entry, KeyFile, parse_keyfile
from kronos_installer.network.network_manager.specs import Device, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host_files import HostFiles

MAIN_FILE = "/etc/NetworkManager/NetworkManager.conf"
SNIPPETS = "/etc/NetworkManager/conf.d"
# In the order in which they are read; of two snippets of one name the one in /etc, then /run, counts.
_SNIPPETS = ("/usr/lib/NetworkManager/conf.d", "/run/NetworkManager/conf.d", SNIPPETS)
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True)
class Settings:
    """All files, in the order in which they are read: a later key wins."""

    files: tuple[KeyFile, ...]

    def last(self, group: str, key: str) -> Entry | None:
        """Return the entry that counts, None where there is none."""
        found = [entry for file in self.files if (entry := file.get(group, key)) is not None]
        return found[-1] if found else None

    def entries(self, group: str, key: str) -> tuple[Entry, ...]:
        """Return the entries that make a list up: `key=` begins it anew, `key+=` adds to it."""
        found: list[Entry] = []
        for file in self.files:
            for entry in file.of_group(group):
                if entry.key == key:
                    found = [entry]
                elif entry.key == f"{key}+":
                    found.append(entry)
        return tuple(found)

    def unmanaged(self, device: Device) -> tuple[bool | None, str]:
        """Tell whether NetworkManager is told to leave the device alone (None: not to be told), and where."""
        entries = self.entries("keyfile", "unmanaged-devices")
        specs = [spec for entry in entries for spec in entry.items]
        answer = matches(specs, device)
        if answer is not False:
            return answer, entries[-1].at
        for file, group in self._sections("device"):
            managed = file.get(group, "managed")
            if managed is None or managed.text.strip().lower() not in _FALSE:
                continue
            covered = self._covers(file, group, device)
            if covered is not False:
                return covered, managed.at
        return False, ""

    def default(self, property_: str, device: Device) -> tuple[Entry | None, bool]:
        """Return the default of a property such as `ipv4.dhcp-client-id` for the device.

        The second says whether it is certain: a section whose `match-device` cannot be told makes it uncertain.
        The first section that covers the device counts; those of files read later come first (NetworkManager.conf(5)).
        """
        for file, group in self._sections("connection"):
            entry = file.get(group, property_)
            if entry is None:
                continue
            covered = self._covers(file, group, device)
            if covered is not False:
                return entry, covered is True
        return None, True

    def _sections(self, word: str) -> Iterator[tuple[KeyFile, str]]:
        for file in reversed(self.files):
            for group in file.group_names:
                if group == word or group.startswith((f"{word}-", f"{word}.")):
                    yield file, group

    @staticmethod
    def _covers(file: KeyFile, group: str, device: Device) -> bool | None:
        entry = file.get(group, "match-device")
        return True if entry is None else matches(entry.items, device)


def read_settings(files: HostFiles) -> Settings:
    """Read them. Raises ProblemError for what cannot be parsed."""
    snippets: dict[str, str] = {}
    for folder in _SNIPPETS:
        for path in files.glob(f"{folder}/*.conf"):
            snippets[posixpath.basename(path)] = path
    by_folder = [
        sorted(path for path in snippets.values() if posixpath.dirname(path) == folder)
        for folder in _SNIPPETS
    ]
    paths = [*by_folder[0], *by_folder[1], MAIN_FILE, *by_folder[2]]
    return Settings(tuple(parse_keyfile(path, files.read(path)) for path in paths if files.exists(path)))
