"""Packages that belong together: whole, those of the toolstack of one version, those of Xen of one, and it is what runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kronos_installer.detect.release import install_again, release_of
from kronos_installer.doctor.answer import Answer, ask, error, info, warning
from kronos_installer.network.ifupdown.bridge_stanza import NEEDS
from kronos_installer.network.stack import BridgeKind
from kronos_installer.packages import MissingPackage, missing_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_installer.detect.programs import Need
    from kronos_installer.facts import Facts
    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.journal_state import State
    from kronos_installer.problem import Problem

# dpkg(1): what is wanted of a package, and how far it is.
DPKG = ("dpkg-query", "--show", "--showformat=${Package} ${Version} ${db:Status-Status} ${db:Status-Want}\\n")
RPM = ("rpm", "--query", "--all", "--queryformat=%{NAME} %{VERSION}-%{RELEASE} installed install\\n")
# Packages of Xen's source whose version has another beginning, or that are of several releases by their nature.
_APART = re.compile(r"xen-system-|xen-hypervisor-[\d.]+$|xen-tools$|xen-guest-agent")
_SERIES = re.compile(r"\d+\.\d+(?!\d)")
# Installed, but for what another package's installation still has to call.
_WHOLE = frozenset({"installed", "triggers-awaited", "triggers-pending"})
_HALF = frozenset({"unpacked", "half-configured", "half-installed"})


@dataclass(frozen=True)
class Package:
    """One package as dpkg or rpm knows it. `half`: it was begun to be installed, changed or removed, and no more."""

    version: str
    half: bool = False
    held: bool = False


def read_packages(query: Runner) -> Answer:
    """Ask dpkg for all it knows (it fails where a pattern matches nothing); where there is none, rpm."""
    answer = ask(query, DPKG)
    return ask(query, RPM) if answer.missing else answer


def parse_packages(text: str) -> dict[str, Package]:
    """Return what is installed, wholly or half, by name: lines of name, version, status and, from dpkg, what is wanted."""
    found = {}
    for line in text.splitlines():
        # What is half installed for the first time may have no version yet.
        name, version, status, want = (re.split(r" ", line) + [""] * 4)[:4]
        if name and status in _WHOLE | _HALF:
            found[name] = Package(version, status in _HALF, want == "hold")
    return found


def package_findings(answer: Answer, running_xen: str) -> Iterator[Problem]:
    """Yield what does not belong together. `running_xen` is xl's xen_version, "" where it is not known."""
    packages = parse_packages(answer.text)
    if not packages:
        yield warning("packages-unknown", "which packages are installed is not known", answer.error or "dpkg-query",
                      "see why dpkg-query or rpm fails")  # fmt: skip
        return
    ours = {name: one for name, one in packages.items() if name == "xapi" or name.startswith("xapi-")}
    xen = _newest_series(
        {n: one for n, one in packages.items() if n.startswith(("xen-", "libxen")) and not _APART.match(n)}
    )
    for name, one in sorted({**ours, **xen}.items()):
        if one.half:
            yield error("package-half-installed", f"{name} is half installed", f"dpkg --status {name}",
                        "dpkg --configure --pending && apt-get --fix-broken install")  # fmt: skip
        if one.held:
            yield info("package-held", f"{name} is held at {one.version}: it gets no updates",
                       "apt-mark showhold", f"apt-mark unhold {name}, unless that is meant")  # fmt: skip
    for what, group in (("the toolstack", ours), ("Xen", xen)):
        if len({one.version for one in group.values() if not one.half}) > 1:
            told = ", ".join(f"{name} {one.version}" for name, one in sorted(group.items()))
            held = [name for name, one in sorted(group.items()) if one.held]
            first = f"apt-mark unhold {' '.join(held)}; " if held else ""
            yield error("packages-mixed", f"packages of {what} are of several versions", told,
                        f"{first}apt-get update && apt-get install --only-upgrade {' '.join(sorted(group))}, "
                        "or dnf upgrade 'xapi*' 'xen*'")  # fmt: skip
    if "xapi-toolstack" not in ours:
        yield error(
            "package-missing", "the toolstack's daemon is not installed", "xapi-toolstack", "install xapi"
        )
    installed = {_upstream(one.version) for one in xen.values() if not one.half}
    if running_xen and installed and _upstream(running_xen) not in installed:
        yield warning("xen-restart", f"Xen {running_xen} runs, {', '.join(sorted(installed))} is installed",
                      "xl info: xen_version", "reboot")  # fmt: skip


def read_missing_programs(files: HostFiles, facts: Facts, state: State) -> tuple[MissingPackage, ...]:
    """Return what the set-up of this host needs, by its network and its storage, and is not there any more."""
    release = release_of(facts.machine)
    if release is None or state.wishes is None:
        return ()
    network: tuple[Need, ...] = ()
    paths = [change.path for step in state.network_steps for change in step.files]
    if any(path.startswith("/etc/network/") for path in paths):
        network = NEEDS[state.wishes.network_backend]
    elif state.wishes.network_backend is BridgeKind.OPENVSWITCH:
        network = NEEDS[BridgeKind.OPENVSWITCH][1:]
    there = (path for need in network for path in need[1:] if files.exists(path))
    known = replace(facts, programs=facts.programs | frozenset(there))
    return missing_packages(known, release, state.wishes, network)


def program_findings(missing: Sequence[MissingPackage], facts: Facts) -> Iterator[Problem]:
    """Yield each program that is missing."""
    for one in missing:
        yield error("program-missing", f"a program that this host needs is not there: {' or '.join(one.programs)}",
                    one.programs[0], install_again(facts.machine, one.name) if one.name else "put it back")  # fmt: skip


def _newest_series(xen: dict[str, Package]) -> dict[str, Package]:
    """Leave out what an upgrade of the distribution leaves: packages of an older series, named after it (xen-utils-4.17)."""
    series = {name: found[0] for name in xen if (found := _SERIES.search(name))}
    newest = max(series.values(), key=lambda text: [int(part) for part in text.split(".")], default="")
    return {name: one for name, one in xen.items() if series.get(name, newest) == newest}


def _upstream(version: str) -> str:
    """Return a version's numbers: 4.17.5 of 4.17.5+23-ga4e5191dc0-1+deb12u1, 1:4.20.0-2 of Fedora the same way.

    A Xen built from a stable branch after a release calls itself the next one's `-pre`: 4.20.4-pre is 4.20.3 and more.
    """
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)\.(\d+)(-pre)?", version)
    if not found:
        return version
    branch, point, before = found.groups()
    return f"{branch}.{int(point) - bool(before)}"
