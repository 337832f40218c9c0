"""Packages that belong together: those of the toolstack have one version, those of Xen one, the running Xen the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, ask, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.problem import Problem

DPKG = ("dpkg-query", "--show", "--showformat=${Package} ${Version} ${db:Status-Status}\\n")
RPM = ("rpm", "--query", "--all", "--queryformat=%{NAME} %{VERSION}-%{RELEASE} installed\\n")
# Packages of Xen's source whose version has another beginning, or that are of several releases by their nature.
_APART = re.compile(r"xen-system-|xen-hypervisor-[\d.]+$|xen-tools$|xen-guest-agent")
_PARTS = 3


def read_packages(query: Runner) -> Answer:
    """Ask dpkg for all it knows (it fails where a pattern matches nothing); where there is none, rpm."""
    answer = ask(query, DPKG)
    return ask(query, RPM) if answer.missing else answer


def parse_packages(text: str) -> dict[str, str]:
    """Return the versions of the installed ones by name."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == _PARTS and row[2] == "installed"}


def package_findings(answer: Answer, running_xen: str) -> Iterator[Problem]:
    """Yield what does not belong together. `running_xen` is xl's xen_version, "" where it is not known."""
    packages = parse_packages(answer.text)
    if not packages:
        yield warning("packages-unknown", "which packages are installed is not known", answer.error or "dpkg-query",
                      "see why dpkg-query or rpm fails")  # fmt: skip
        return
    ours = {name: version for name, version in packages.items() if name == "xapi" or name.startswith("xapi-")}
    xen = {n: v for n, v in packages.items() if n.startswith(("xen-", "libxen")) and not _APART.match(n)}
    for what, group in (("the toolstack", ours), ("Xen", xen)):
        if len(set(group.values())) > 1:
            told = ", ".join(f"{name} {version}" for name, version in sorted(group.items()))
            yield error("packages-mixed", f"packages of {what} are of several versions", told,
                        "apt-get update && apt-get install xapi, or dnf upgrade 'xapi*' 'xen*'")  # fmt: skip
    if "xapi-toolstack" not in ours:
        yield error(
            "package-missing", "the toolstack's daemon is not installed", "xapi-toolstack", "install xapi"
        )
    installed = {_upstream(version) for version in xen.values()}
    if running_xen and installed and _upstream(running_xen) not in installed:
        yield warning("xen-restart", f"Xen {running_xen} runs, {', '.join(sorted(installed))} is installed",
                      "xl info: xen_version", "reboot")  # fmt: skip


def _upstream(version: str) -> str:
    """Return a version's numbers: 4.17.5 of 4.17.5+23-ga4e5191dc0-1+deb12u1, 1:4.20.0-2 of Fedora the same way.

    A Xen built from a stable branch after a release calls itself the next one's `-pre`: 4.20.4-pre is 4.20.3 and more.
    """
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)\.(\d+)(-pre)?", version)
    if not found:
        return version
    branch, point, before = found.groups()
    return f"{branch}.{int(point) - bool(before)}"
