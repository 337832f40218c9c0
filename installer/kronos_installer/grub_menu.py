"""What GRUB will boot by itself: the menu of a generated grub.cfg and its default.

GRUB resolves `default` as an index, a title or an id, level by level with `>` between
levels (`>>` is a literal `>`), and takes the first entry when nothing matches: a default
that names an entry inside a submenu without its submenu is silently not found.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from kronos_installer.grub_environment import NEXT_ENTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.detect.bls import BlsEntry

_DEFAULT = re.compile(r"""^\s*(?:set\s+)?default=(["']?)(.*)\1\s*$""", re.MULTILINE)
_FALLBACK = re.compile(r"""^\s*set fallback=(["']?)(.*)\1\s*$""", re.MULTILINE)
_TIMEOUT = re.compile(r"^\s*set timeout=(-?\d+)$", re.MULTILINE)
_STYLE = re.compile(r"^\s*set timeout_style=(\w+)$", re.MULTILINE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_LOADS_XEN = re.compile(r"^\s*(?:multiboot2?|xen_hypervisor)\s+(\S*/xen[-.]\S*)")
# Memory testers are loaded as Linux is.
_LOADS_LINUX = re.compile(r"^\s*linux(16|efi)?\s+(?!\S*/memtest)(\S+)")
_LOADS_INITRD = re.compile(r"^\s*initrd(?:16|efi)?\s+(\S.*)$")
_LOADS_MODULE = re.compile(r"^\s*(?:module2?|xen_module)\s+(?:--\S+\s+)*(\S+)")
_ONE_LINE = re.compile(r"(menuentry\s.*?)\{\s(.*)\}$")
# Fedora's: another default when boots have failed, a menu that is hidden when they have not.
_ON_CONDITIONS = re.compile(
    r"^### BEGIN \S*/(08_fallback_counting|12_menu_auto_hide|14_menu_show_once) ###$.*?^### END \S*/\1 ###$",
    re.MULTILINE | re.DOTALL,
)
_ONCE = f"${{{NEXT_ENTRY}}}"
_SIMPLE_XEN = "xen-gnulinux-simple-"
_LINUX = "gnulinux-"


@dataclass(eq=False)
class Entry:
    """A menu entry or a submenu; `lines` is an entry's script, `entries` a submenu's entries. `bls`: a kernel's own file has it."""

    title: str
    id: str
    submenu: bool
    lines: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    bls: bool = False

    @property
    def is_distributions(self) -> bool:
        """Whether the entry starts a kernel of the installed system without a hypervisor: one of 10_linux, by its id."""
        return self.boots_linux and (self.bls or self.id.startswith(_LINUX))

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
        return next(iter(self._modules), "")

    @property
    def files(self) -> tuple[str, ...]:
        """All that the entry loads, as GRUB finds it: hypervisor, kernel, initial file systems."""
        initrds = (found[1].split() for line in self.lines if (found := _LOADS_INITRD.match(line)))
        names = (self.xen, self.linux, *self._modules, *(name for some in initrds for name in some))
        return tuple(dict.fromkeys(filter(None, names)))

    @property
    def _modules(self) -> tuple[str, ...]:
        return tuple(found[1] for line in self.lines if (found := _LOADS_MODULE.match(line)))


@dataclass(frozen=True)
class Menu:
    """A parsed menu. `default` is as written: an index, a title, an id, a path of them, or a variable.

    `once`: the menu obeys the environment's `next_entry`, and clears it. `hidden`: nobody sees the menu who does not
    press a key in time; `hides_by_itself`: so it is where the environment says `menu_auto_hide`, after a boot that went
    well. `modules` are those it loads. `fallback` is what GRUB tries where it cannot load what it chose.
    """

    default: str
    entries: tuple[Entry, ...]
    once: bool = False
    hidden: bool = False
    hides_by_itself: bool = False
    modules: frozenset[str] = frozenset()
    fallback: str = ""

    @property
    def first_linux(self) -> int:
        """The place of the first entry outside the submenus that boots the installed system without Xen.

        Where there is none, of the first that boots any without Xen, or 0: a rescue system may come before the kernels.
        """
        places = [place for place, entry in enumerate(self.entries) if entry.boots_linux]
        own = [place for place in places if self.entries[place].is_distributions]
        return next(iter(own or places), 0)

    def fallback_entry(self) -> Entry | None:
        """Return what boots without Xen where that cannot be loaded, by its place outside the submenus. None: GRUB waits."""
        name = self.fallback.partition(" ")[0]
        entry = _pick(list(self.entries), name) if name.isdigit() else None
        return entry if entry is not None and entry.boots_linux else None

    def default_entry(self, environment: Mapping[str, str] | None = None) -> Entry | None:
        """Return what boots when nobody touches the keyboard and nothing is chosen once, None for an empty menu."""
        values = environment or {}
        return self.resolve(_VARIABLE.sub(lambda match: values.get(match[1] or match[2], ""), self.default))

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
    waiting: str | None = None
    for line in text.splitlines():
        stripped = line.strip()
        if waiting is not None:  # a script's `{` may stand on the line after
            stripped, waiting = (f"{waiting} {{", None) if stripped == "{" else (stripped, None)
        inside = next((block for block in reversed(open_blocks) if block is not None), root)
        if re.match(r"(menuentry|submenu)\s.*\{$", stripped):
            entry = _entry(stripped)
            inside.entries.append(entry)
            open_blocks.append(entry)
        elif whole := _ONE_LINE.match(stripped):
            inside.entries.append(replace(_entry(whole[1]), lines=whole[2].split(";")))
        elif re.match(r"(menuentry|submenu)\s[^{]*$", stripped):
            waiting = stripped
        elif stripped.endswith("{"):
            open_blocks.append(None)
        elif stripped == "}" and open_blocks:
            open_blocks.pop()
        elif stripped.split()[:1] == ["blscfg"]:
            inside.entries += [_bls_entry(entry) for entry in bls]
        elif inside is not root:
            inside.lines.append(line)
    always = _ON_CONDITIONS.sub("", text)
    defaults = [value for _, value in _DEFAULT.findall(always)]
    lasting = [value for value in defaults if value != _ONCE]
    return Menu(
        default=lasting[-1] if lasting else "0",
        entries=tuple(root.entries),
        once=_ONCE in defaults and f"save_env {NEXT_ENTRY}" in text,
        hidden=_TIMEOUT.findall(always)[-1:] == ["0"] or _STYLE.findall(always)[-1:] == ["hidden"],
        hides_by_itself="/12_menu_auto_hide ###" in text,
        modules=frozenset(re.findall(r"\binsmod\s+(\w+)", text)),
        fallback=next((value for _, value in reversed(_FALLBACK.findall(text))), ""),
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
    return Entry(
        entry.title, entry.id, submenu=False, lines=[f"linux {entry.linux} {entry.options}"], bls=True
    )
