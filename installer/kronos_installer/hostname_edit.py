"""A new name for the host: what becomes of hostname(5) and hosts(5)."""

from __future__ import annotations

import re

_OWN_ADDRESS = "127.0.1.1"


def hostname_file(wished: str) -> str:
    """Return /etc/hostname: a single label, as hostname(5) recommends; the domain is hosts(5)'s."""
    return wished.partition(".")[0] + "\n"


def edit_hosts(text: str, old: str, wished: str) -> str:
    """Return hosts(5) with the old name, with and without its domain, replaced by the new.

    A wish without a domain keeps the old one. Where no line has the old name, or only the line of `localhost` has it,
    one is added for the address that Debian keeps for this (127.0.1.1).
    """
    label, _, domain = wished.partition(".")
    lines = text.splitlines(keepends=True)
    named = [place for place, line in enumerate(lines) if _names(line, old)]
    for place in named:
        lines[place] = _renamed(lines[place], old, label, domain)
    new = "".join(lines)
    if any(_names(line, label) and not _names(line, "localhost") for line in lines):
        return new
    names = f"{wished}\t{label}" if domain else label
    return new + ("" if new.endswith("\n") or not new else "\n") + f"{_OWN_ADDRESS}\t{names}\n"


def _words(line: str) -> list[str]:
    return line.partition("#")[0].split()[1:]


def _names(line: str, label: str) -> bool:
    return bool(label) and any(
        word.partition(".")[0].lower() == label.partition(".")[0].lower() for word in _words(line)
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
