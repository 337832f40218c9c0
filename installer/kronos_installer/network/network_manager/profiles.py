"""Connection profiles of NetworkManager's keyfile plugin (nm-settings-keyfile(5)): reading them, and what they match."""

from __future__ import annotations

import os
import posixpath
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.nics import Nic, NicKind
from kronos_installer.host_files import UnsuitableFileError
from kronos_installer.network.findings import error, warning
from kronos_installer.network.network_manager.keyfile import KeyFile, parse_keyfile
from kronos_installer.network.network_manager.specs import covers_name
from kronos_installer.problem import Problem, ProblemError, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kronos_installer.host_files import FileState, HostFiles

ETC = "/etc/NetworkManager/system-connections"
RUN = "/run/NetworkManager/system-connections"
# A profile in an earlier folder hides those of its uuid in later ones.
_FOLDERS = (RUN, ETC, "/usr/lib/NetworkManager/system-connections")
_SUFFIX = ".nmconnection"
# The names of groups and types before NetworkManager 1.0, which it still reads.
ALIASES = {"802-3-ethernet": "ethernet"}
KINDS = {"ethernet": NicKind.ETHERNET, "bond": NicKind.BOND, "vlan": NicKind.VLAN}
_TRUE = ("true", "yes", "on", "1")
_NO_ADDRESSES = ("", "disabled", "ignore")


@dataclass(frozen=True)
class Profile:
    """One profile. `state` is its file as found."""

    file: KeyFile
    state: FileState

    @property
    def path(self) -> str:
        """Its file."""
        return self.file.path

    @property
    def uuid(self) -> str:
        """Its uuid; of a file without one NetworkManager makes it up, which is refused."""
        return self.file.value("connection", "uuid")

    @property
    def type(self) -> str:
        """What it configures: `ethernet`, `bond`, `vlan`, `bridge`, ..."""
        type_ = self.file.value("connection", "type")
        return ALIASES.get(type_, type_)

    @property
    def interface(self) -> str:
        """The interface that it is bound to, "" for any."""
        return self.file.value("connection", "interface-name")

    @property
    def mac(self) -> str:
        """The permanent Ethernet address that it is bound to, "" for any."""
        return self.wired("mac-address").lower()

    @property
    def controller(self) -> str:
        """Name or uuid of what it is a port of, "" for none: `controller` since NetworkManager 1.46, `master` before."""
        value = self.file.value
        return value("connection", "controller") or value("connection", "master")

    @property
    def autoconnect(self) -> bool:
        """Whether it is activated by itself."""
        return self.file.value("connection", "autoconnect", "true").strip().lower() in _TRUE

    @property
    def priority(self) -> int:
        """Its `autoconnect-priority`: the highest of several is activated. Raises ValueError."""
        return int(self.file.value("connection", "autoconnect-priority", "0"))

    @property
    def has_addresses(self) -> bool:
        """Whether it configures IP at all, and is no port."""
        methods = {self.file.value(group, "method") for group in ("ipv4", "ipv6")}
        return not self.controller and not methods <= set(_NO_ADDRESSES)

    @property
    def generated(self) -> bool:
        """Whether NetworkManager made it up for a device that has none, and will do so at the next boot."""
        return self.path.startswith(f"{RUN}/") and (
            self.file.value(".nmmeta", "nm-generated") in _TRUE or self.priority < 0
        )

    @property
    def at(self) -> str:
        """Where it begins."""
        return self.file.group_at("connection")

    def wired(self, key: str) -> str:
        """Return a value of the `ethernet` group, under either of its names."""
        value = self.file.value
        return value("ethernet", key) or value("802-3-ethernet", key)

    def matches(self, nic: Nic) -> bool:
        """Tell whether it may be activated on the interface."""
        if self.type not in KINDS or nic.kind is not KINDS[self.type]:
            return False
        if self.type != "ethernet":
            return self.interface == nic.name
        patterns = self.file.get("match", "interface-name")
        named = patterns is None or covers_name(patterns.items, nic.name)
        return self.interface in ("", nic.name) and self.mac in ("", nic.mac) and named


@dataclass(frozen=True)
class Profiles:
    """All profiles that NetworkManager reads, hidden ones left out, and what stands in the way of knowing them."""

    profiles: tuple[Profile, ...]
    problems: tuple[Problem, ...]

    def best_for(self, nic: Nic) -> tuple[Profile | None, tuple[Profile, ...]]:
        """Return what is activated on the interface at boot, and those of the same priority beside it."""
        found = [profile for profile in self.profiles if profile.autoconnect and profile.matches(nic)]
        if not found:
            return None, ()
        highest = max(profile.priority for profile in found)
        best = [profile for profile in found if profile.priority == highest]
        return best[0], tuple(best[1:])

    def ports_of(self, profile: Profile) -> tuple[Profile, ...]:
        """Return the profiles of the ports of a bond."""
        names = {profile.uuid, profile.interface}
        return tuple(port for port in self.profiles if port.controller in names)

    def of_reference(self, reference: str) -> Profile | None:
        """Return the profile that a `parent` or `controller` names by uuid or interface."""
        return next((p for p in self.profiles if reference and reference in (p.uuid, p.interface)), None)


def nics_of(profile: Profile, nics: Sequence[Nic]) -> tuple[Nic, ...]:
    """Return the interfaces that a profile may be activated on."""
    return tuple(nic for nic in nics if profile.matches(nic))


def read_profiles(files: HostFiles) -> Profiles:
    """Read all of them. What cannot be parsed becomes a Problem."""
    found: dict[str, Profile] = {}
    problems: list[Problem] = []
    for folder in _FOLDERS:
        for path in files.glob(f"{folder}/*"):
            if _ignored(path) or files.at(path).is_dir():
                continue
            try:
                profile = _read(files, path)
            except UnsuitableFileError as unsuitable:
                problems.append(error("file-unsuitable", str(unsuitable), f"{path}:1", unsuitable.resolution))
                continue
            except ProblemError as refused:
                problems.append(refused.problem)
                continue
            if isinstance(profile, Problem):
                problems.append(profile)
            else:
                found.setdefault(profile.uuid, profile)
    return Profiles(tuple(found.values()), tuple(problems))


def _ignored(path: str) -> bool:
    """Tell whether NetworkManager passes the file over for its name: outside /etc it wants the suffix."""
    name = posixpath.basename(path)
    return name.endswith(("~", ".bak", ".rpmnew", ".rpmsave", ".rpmorig", ".nmmeta", ".pem", ".der")) or (
        not path.startswith(f"{ETC}/") and not name.endswith(_SUFFIX)
    )


def _read(files: HostFiles, path: str) -> Profile | Problem:
    state = files.state(path)
    if state is None:  # gone since the folder was listed
        raise refusal("nm-keyfile", "the file went away", at=f"{path}:1", remedy="try again")
    if state.mode & 0o077 or state.uid not in (0, os.geteuid()):
        return warning("nm-insecure", "NetworkManager ignores this profile: others than root may read or write it",
                       f"{path}:1", "chown root: and chmod 0600, or remove it")  # fmt: skip
    try:
        text = state.content.decode()
    except UnicodeDecodeError as undecodable:
        raise refusal("nm-keyfile", "the profile is not UTF-8", at=f"{path}:1",
                      remedy="write it anew: nmcli connection modify") from undecodable  # fmt: skip
    profile = Profile(parse_keyfile(path, text), state)
    try:
        uuid.UUID(profile.uuid)
        int(profile.priority)
    except ValueError as invalid:
        raise refusal("nm-keyfile", "the profile's uuid or autoconnect-priority is missing or not valid",
                      at=profile.at, remedy="add uuid= with what uuidgen prints to [connection]") from invalid  # fmt: skip
    return profile
