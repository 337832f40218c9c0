"""Where this machine's apt gets its packages, so that other releases' are had from the same place.

Reads deb822 `.sources` and one-line `.list` files (sources.list(5)).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xapi_shim.base.errors import KronosError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECURITY = "-security"


@dataclass(frozen=True)
class Mirror:
    """One origin: the URI of its main archive, and of the security archive where it has one."""

    main: str
    security: str = ""


def read_mirror(root: Path = Path("/")) -> Mirror:
    """Return the distro mirror of the system at `root`. Raises KronosError when apt names none."""
    apt = root / "etc/apt"
    found: list[tuple[str, str]] = []
    for path in sorted([*apt.glob("sources.list.d/*.sources"), *apt.glob("*.sources")]):
        found += _deb822(path.read_text())
    for path in sorted([apt / "sources.list", *apt.glob("sources.list.d/*.list")]):
        if path.exists():
            found += _one_line(path.read_text())
    main = next((uri for uri, suite in found if "/" not in suite and uri.rstrip("/").endswith("/debian")), "")
    security = next((uri for uri, suite in found if suite.endswith(SECURITY)), "")
    if not main:
        raise KronosError(f"no Debian archive in {apt}", resolution="add one to the apt sources")
    return Mirror(main, security)


def _deb822(text: str) -> list[tuple[str, str]]:
    found = []
    for stanza in text.split("\n\n"):
        fields = dict(
            line.split(":", 1)
            for line in stanza.splitlines()
            if ":" in line and not line.startswith(("#", " "))
        )
        if "deb" in fields.get("Types", "").split():
            found += [
                (u, s) for u in fields.get("URIs", "").split() for s in fields.get("Suites", "").split()
            ]
    return found


def _one_line(text: str) -> list[tuple[str, str]]:
    found = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["deb"]:
            words = [w for w in words[1:] if not w.startswith("[") and not w.endswith("]")]
            if len(words) >= 2:
                found.append((words[0], words[1]))
    return found


def sources_for(mirror: Mirror, suite: str) -> list[str]:
    """Return one-line sources of a release's main, updates and security suites."""
    lines = [f"deb {mirror.main} {suite} main", f"deb {mirror.main} {suite}-updates main"]
    if mirror.security:
        lines.append(f"deb {mirror.security} {suite}{SECURITY} main")
    return lines
