"""What GRUB will boot by itself: the menu of a generated grub.cfg and its default.

GRUB resolves `default` as an index, a title or an id, level by level with `>` between
levels (`>>` is a literal `>`), and takes the first entry when nothing matches: a default
that names an entry inside a submenu without its submenu is silently not found.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from itertools import pairwise

_DEFAULT = re.compile(r'^\s*set default="(.*)"$', re.MULTILINE)
_LOADS_XEN = re.compile(r"^\s*(multiboot2?|xen_hypervisor)\s+\S*/xen-")
_LOADS_LINUX = re.compile(r"^\s*linux(16|efi)?\s")


@dataclass(eq=False)
class Entry:
    """A menu entry or a submenu; `lines` is an entry's script, `entries` a submenu's entries."""

    title: str
    id: str
    submenu: bool
    lines: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def boots_xen(self) -> bool:
        """Whether the entry starts the hypervisor."""
        return any(_LOADS_XEN.match(line) for line in self.lines)

    @property
    def boots_linux(self) -> bool:
        """Whether the entry starts Linux without a hypervisor."""
        return any(_LOADS_LINUX.match(line) for line in self.lines)


@dataclass(frozen=True)
class Menu:
    """A parsed menu. `default` is as written: an index, a title, an id, a path of them, or a variable."""

    default: str
    entries: tuple[Entry, ...]

    def default_entry(self) -> Entry | None:
        """Return what boots when nobody touches the keyboard, None for an empty menu."""
        level = list(self.entries)
        chosen: Entry | None = None
        for part in re.split(r"(?<!>)>(?!>)", self.default):
            chosen = _pick(level, part.replace(">>", ">"))
            if chosen is None:
                chosen = _first(level)
                break
            level = chosen.entries
        while chosen is not None and chosen.submenu:
            chosen = _first(chosen.entries)
        return chosen

    def all_entries(self) -> list[Entry]:
        """Return all entries that are not submenus, of all levels."""
        found: list[Entry] = []
        pending = list(self.entries)
        while pending:
            entry = pending.pop(0)
            pending = entry.entries + pending
            if not entry.submenu:
                found.append(entry)
        return found


def _first(entries: list[Entry]) -> Entry | None:
    return entries[0] if entries else None


def _pick(entries: list[Entry], name: str) -> Entry | None:
    if name.isdigit():
        return entries[int(name)] if int(name) < len(entries) else None
    return next((entry for entry in entries if name in (entry.title, entry.id)), None)


def parse_menu(text: str) -> Menu:
    """Parse a grub.cfg as grub-mkconfig writes it."""
    defaults = [value for value in _DEFAULT.findall(text) if value != "${next_entry}"]
    root = Entry("", "", submenu=True)
    open_blocks: list[Entry | None] = []
    for line in text.splitlines():
        stripped = line.strip()
        inside = next((block for block in reversed(open_blocks) if block is not None), root)
        if re.match(r"(menuentry|submenu)\s.*\{$", stripped):
            entry = _entry(stripped)
            inside.entries.append(entry)
            open_blocks.append(entry)
        elif stripped.endswith("{"):
            open_blocks.append(None)
        elif stripped == "}" and open_blocks:
            open_blocks.pop()
        elif inside is not root:
            inside.lines.append(line)
    return Menu(defaults[-1] if defaults else "0", tuple(root.entries))


def _entry(line: str) -> Entry:
    kind, title, *rest = shlex.split(line.removesuffix("{"))
    ids = [value for option, value in pairwise(rest) if option in ("--id", "$menuentry_id_option")]
    return Entry(title, ids[0] if ids else "", submenu=kind == "submenu")
