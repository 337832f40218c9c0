"""A new name for the host: what becomes of hostname(5) and hosts(5)."""

from __future__ import annotations

import re

from kronos_installer.detect.hostname import is_localhost

_OWN_ADDRESS = "127.0.1.1"


def hostname_file(wished: str) -> str:
    """Return /etc/hostname: a single label, as hostname(5) recommends; the domain is hosts(5)'s."""
    return wished.partition(".")[0] + "\n"


def edit_hosts(text: str, old: str, wished: str) -> str:
    """Return hosts(5) with the old name, with and without its domain, replaced by the new.

    A wish without a domain keeps the old one. Where no line has the old name, or only the line of `localhost` has it,
    one is added for the address that Debian keeps for this (127.0.1.1). A host without a name of its own is called
    `localhost`, which stays the loopback's.
    """
    label, _, domain = wished.partition(".")
    lines = text.splitlines(keepends=True)
    for place, line in enumerate(lines):
        if not is_localhost(old) and _is_own(line, old):
            lines[place] = _renamed(line, old, label, domain)
    named = [(place, _words(line)) for place, line in enumerate(lines)]
    own = [place for place, words in named if label.lower() in words and "localhost" not in words]
    if not own:
        new = "".join(lines)
        names = f"{wished}\t{label}" if domain else label
        return new + ("" if new.endswith("\n") or not new else "\n") + f"{_OWN_ADDRESS}\t{names}\n"
    if domain and not any(wished.lower() in _words(line) for line in lines):
        # The canonical name comes first (hosts(5)).
        lines[own[0]] = re.sub(
            rf"(\s)({re.escape(label)})(?=\s|#|$)",
            rf"\g<1>{wished} \g<2>",
            lines[own[0]],
            count=1,
            flags=re.IGNORECASE,
        )
    return "".join(lines)


def _words(line: str) -> frozenset[str]:
    return frozenset(line.partition("#")[0].lower().split()[1:])


def _is_own(line: str, old: str) -> bool:
    """Tell whether a line is the host's: others may have its label below another domain, as `web.a` and `web.b`."""
    label, words = old.partition(".")[0].lower(), _words(line)
    on_loopback = line.split()[:1] == ["::1"] or line.lstrip().startswith("127.")
    return bool(label) and (
        bool(words & {old.lower(), label})
        or (on_loopback and any(word.startswith(f"{label}.") for word in words))
    )


def _renamed(line: str, old: str, label: str, domain: str) -> str:
    """Replace each name of the old host's; its address and the comment stay."""
    code, mark, comment = line.partition("#")
    old_label = old.partition(".")[0]
    seen: set[str] = set()

    def name(match: re.Match[str]) -> str:
        first, dot, rest = match[2].partition(".")
        if first.lower() != old_label.lower():
            return match[0]
        new = f"{label}.{domain or rest}" if dot else label
        if new in seen:
            return ""
        seen.add(new)
        return match[1] + new

    head = re.match(r"\s*\S+", code)
    start = head.end() if head else 0
    return code[:start] + re.sub(r"(\s+)(\S+)", name, code[start:]) + mark + comment
