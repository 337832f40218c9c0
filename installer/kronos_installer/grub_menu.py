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
from typing import TYPE_CHECKING

from kronos_installer.grub_environment import NEXT_ENTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.detect.bls import BlsEntry

_DEFAULT = re.compile(r'^\s*set default="(.*)"$', re.MULTILINE)
_TIMEOUT = re.compile(r"^\s*set timeout=(-?\d+)$", re.MULTILINE)
_STYLE = re.compile(r"^\s*set timeout_style=(\w+)$", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LOADS_XEN = re.compile(r"^\s*(?:multiboot2?|xen_hypervisor)\s+(\S*/xen-\S*)")
_LOADS_LINUX = re.compile(r"^\s*linux(16|efi)?\s+(\S+)")
_LOADS_MODULE = re.compile(r"^\s*(?:module2?|xen_module)\s+(?:--\S+\s+)*(\S+)")
_ONCE = f"${{{NEXT_ENTRY}}}"
_SIMPLE_XEN = "xen-gnulinux-simple-"


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
        return bool(self.xen)

    @property
    def xen(self) -> str:
        """The hypervisor that the entry starts, as GRUB finds it; "" for none."""
        return next((found[1] for line in self.lines if (found := _LOADS_XEN.match(line))), "")

    @property
    def boots_linux(self) -> bool:
        """Whether the entry starts Linux without a hypervisor."""
        return bool(self.linux)

    @property
    def linux(self) -> str:
        """The kernel that the entry starts without a hypervisor, as GRUB finds it; "" for none."""
        return next((found[2] for line in self.lines if (found := _LOADS_LINUX.match(line))), "")

    @property
    def dom0_kernel(self) -> str:
        """The first module that the entry gives to Xen, as GRUB finds it: dom0's kernel; "" for none."""
        return next((found[1] for line in self.lines if (found := _LOADS_MODULE.match(line))), "")


@dataclass(frozen=True)
class Menu:
    """A parsed menu. `default` is as written: an index, a title, an id, a path of them, or a variable.

    `once`: the menu obeys the environment's `next_entry`, and clears it. `hidden`: nobody sees the menu who does not
    press a key in time. `modules` are those it loads.
    """

    default: str
    entries: tuple[Entry, ...]
    once: bool = False
    hidden: bool = False
    modules: frozenset[str] = frozenset()

    def default_entry(self, environment: Mapping[str, str] | None = None) -> Entry | None:
        """Return what boots when nobody touches the keyboard and nothing is chosen once, None for an empty menu."""
        values = environment or {}
        return self.resolve(_VARIABLE.sub(lambda match: values.get(match[1], ""), self.default))

    def resolve(self, name: str) -> Entry | None:
        """Return what `name` boots: an index, a title, an id, or a path of them."""
        level = list(self.entries)
        chosen: Entry | None = None
        for part in re.split(r"(?<!>)>(?!>)", name):
            chosen = _pick(level, part.replace(">>", ">"))
            if chosen is None:
                chosen = _first(level)
                break
            level = chosen.entries
        while chosen is not None and chosen.submenu:
            chosen = _first(chosen.entries)
        return chosen

    def simple_xen_entry(self) -> Entry | None:
        """Return the entry that starts the newest Xen with the newest kernel: its id outlives upgrades of both."""
        named = (e for e in self.entries if e.boots_xen and e.id.startswith(_SIMPLE_XEN))
        return next(named, None)

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
    if name.isascii() and name.isdigit():
        return entries[int(name)] if int(name) < len(entries) else None
    return next((entry for entry in entries if name and name in (entry.title, entry.id)), None)


def parse_menu(text: str, bls: tuple[BlsEntry, ...] = ()) -> Menu:
    """Parse a grub.cfg as grub-mkconfig writes it; `bls` are the entries that its `blscfg` command adds."""
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
        elif stripped.split()[:1] == ["blscfg"]:
            inside.entries += [_bls_entry(entry) for entry in bls]
        elif inside is not root:
            inside.lines.append(line)
    defaults = _DEFAULT.findall(text)
    lasting = [value for value in defaults if value != _ONCE]
    return Menu(
        default=lasting[-1] if lasting else "0",
        entries=tuple(root.entries),
        once=_ONCE in defaults and f"save_env {NEXT_ENTRY}" in text,
        hidden=_TIMEOUT.findall(text)[-1:] == ["0"] or _STYLE.findall(text)[-1:] == ["hidden"],
        modules=frozenset(re.findall(r"\binsmod\s+(\w+)", text)),
    )


def _entry(line: str) -> Entry:
    kind, title, *rest = _words(line.removesuffix("{"))
    ids = [value for option, value in pairwise(rest) if option in ("--id", "$menuentry_id_option")]
    return Entry(title, ids[0] if ids else "", submenu=kind == "submenu")


def _words(line: str) -> list[str]:
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation that does not end: GRUB would not start this menu either
        words = []
    return words if len(words) > 1 else [line.split(maxsplit=1)[0], ""]


def _bls_entry(entry: BlsEntry) -> Entry:
    return Entry(entry.title, entry.id, submenu=False, lines=[f"linux {entry.linux} {entry.options}"])
