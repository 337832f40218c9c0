"""Where this machine's apt gets its packages, so that other releases' are had from the same place.

Reads deb822 `.sources` and one-line `.list` files (sources.list(5)).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SECURITY = "-security"


@dataclass(frozen=True)
class Mirror:
    """One origin: the URI of its main archive, and of the security archive where it has one."""

    main: str
    security: str = ""


def read_mirror(root: Path = Path("/"), distribution: str = "debian") -> Mirror:
    """Return the mirror of a distribution that the system at `root` names, in a disabled source too.

    Raises KronosError when apt names none.
    """
    apt = root / "etc/apt"
    found: list[tuple[str, str]] = []
    for path in sorted([*apt.glob("sources.list.d/*.sources"), *apt.glob("*.sources")]):
        found += _deb822(path.read_text())
    for path in sorted([apt / "sources.list", *apt.glob("sources.list.d/*.list")]):
        if path.exists():
            found += _one_line(path.read_text())
    named = [(uri, suite, uri.rstrip("/").rsplit("/", 1)[-1]) for uri, suite in found]
    main = next((uri for uri, suite, last in named if "/" not in suite and last == distribution), "")
    security = next(
        (
            uri
            for uri, suite, last in named
            if suite.endswith(SECURITY) and last in (distribution, distribution + SECURITY)
        ),
        "",
    )
    if not main:
        raise KronosError(
            f"no {distribution.title()} archive in {apt}",
            resolution="add one to the apt sources; a disabled one (Enabled: no) will do",
        )
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


def sources_for(
    mirror: Mirror, suite: str, components: Sequence[str] = ("main",), kind: str = "deb"
) -> list[str]:
    """Return one-line sources of a release's main, updates and security suites; `kind`: deb or deb-src."""
    rest = " ".join(components)
    lines = [f"{kind} {mirror.main} {suite} {rest}", f"{kind} {mirror.main} {suite}-updates {rest}"]
    if mirror.security:
        lines.append(f"{kind} {mirror.security} {suite}{SECURITY} {rest}")
    return lines
