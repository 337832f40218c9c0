"""GRUB's configuration: the generated menu, the defaults' files, the environment block, a pending one-time choice."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kronos_installer.detect.bls import BlsEntry, read_bls
from kronos_installer.grub_environment import NEXT_ENTRY, SAVED_ENTRY, SIGNATURE, parse_environment
from kronos_installer.grub_layout import (
    DEBIAN,
    DEFAULTS,
    DEFAULTS_FOLDER,
    GrubLayout,
    find_layout,
    has_program,
)
from kronos_installer.grub_menu import Menu, parse_menu

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kronos_installer.host_files import HostFiles

_DEFAULTS = (DEFAULTS, f"{DEFAULTS_FOLDER}/*.cfg")
XEN_SCRIPT = "/etc/grub.d/20_linux_xen"
_SCRIPTS = ("/etc/grub.d/*",)
_IMAGES = ("/boot/vmlinu*", "/boot/initr*", "/boot/xen*", "/boot/loader/entries/*")
_ASSIGNMENT = re.compile(r"^\s*(?:export\s+)?(GRUB_\w+|XEN_\w+)=(.*)$")
# The end of a line that sh(1) joins with the next one.
_GOES_ON = re.compile(r"(?<!\\)(?:\\\\)*\\$")
# A word of sh(1) without expansions, and a comment after it.
_LITERAL = re.compile(r"""(?:"([^"$`\\]*)"|'([^']*)'|([\w.,:+/=@%-]*))(?:[ \t]*;|[ \t]+#.*)?""")
_CUSTOM = re.compile(r"^[ \t]*source \$\{config_directory\}/custom\.cfg$", re.MULTILINE)
_PASSWORD = re.compile(r"^[ \t]*(?:set[ \t]+)?superusers=[\"']?\w")
# Fedora's 01_users: superusers only where user.cfg, which grub2-setpassword writes, has a password.
_USERS = re.compile(r"^### BEGIN \S*/01_users ###$.*?^### END \S*/01_users ###$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Assignment:
    """One variable as written, not evaluated: the files are shell scripts."""

    name: str
    value: str
    at: str


@dataclass(frozen=True)
class Grub:
    """What is known of GRUB. `layout` is None where no known program makes its menu; DEBIAN's names are then shown.

    `environment_path` is where the environment block really lies: Fedora's of before 34 is a link to the EFI
    partition. `has_environment`: what lies there is a block that GRUB reads. `bls` are the kernels' entries in files of
    their own. `has_grubby`: kernels come and go by it. `menu` has what custom.cfg adds to it.
    `password` is what makes GRUB ask for one before it starts an entry, as file and line, "" for nothing; unless the
    entry is unrestricted (GRUB manual, "Authentication and authorisation in GRUB"), `xen_unrestricted`: as Xen's will be.
    """

    layout: GrubLayout | None
    menu: str
    assignments: tuple[Assignment, ...]
    environment: Mapping[str, str]
    environment_path: str
    bls: tuple[BlsEntry, ...]
    has_xen_script: bool
    can_choose_once: bool
    has_grubby: bool = False
    has_environment: bool = True
    password: str = ""
    xen_unrestricted: bool = False
    parsed: Menu = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parsed", parse_menu(self.menu, self.bls))

    @property
    def files(self) -> GrubLayout:
        """The layout, or where GRUB's files would be."""
        return self.layout or DEBIAN

    @property
    def next_entry(self) -> str:
        """The one-time choice that is pending, "" without one."""
        return self.environment.get(NEXT_ENTRY, "")

    @property
    def saved_entry(self) -> str:
        """The default that `GRUB_DEFAULT=saved` boots, "" without one."""
        return self.environment.get(SAVED_ENTRY, "")

    @property
    def menu_hidden(self) -> bool:
        """Whether nobody sees the menu who does not press a key in time."""
        return self.parsed.hidden or (
            self.parsed.hides_by_itself and bool(self.environment.get("menu_auto_hide"))
        )

    def setting(self, name: str) -> str:
        """Return the last value that the defaults' files give a variable, "" for none and for shell expressions."""
        found = _LITERAL.fullmatch(self.written(name))
        return next((value for value in found.groups() if value), "") if found else ""

    def written(self, name: str) -> str:
        """Return what the defaults' files last write after a variable's `=`, "" for nothing."""
        return next((a.value for a in reversed(self.assignments) if a.name == name), "")


def read_grub(files: HostFiles) -> Grub:
    """Read all of it."""
    paths = [path for pattern in _DEFAULTS for path in files.glob(pattern)]
    layout = find_layout(files)
    names = layout or DEBIAN
    environment_path = resolved(files, names.environment)
    menu = with_custom(files, names, files.read(names.menu))
    block = files.read(environment_path)
    return Grub(
        layout=layout,
        menu=menu,
        assignments=tuple(a for path in paths for a in parse_defaults(path, files.read(path))),
        environment=parse_environment(block),
        environment_path=environment_path,
        bls=read_bls(files),
        has_xen_script=files.exists(XEN_SCRIPT),
        can_choose_once=has_program(files, names.choose_once),
        has_grubby=has_program(files, "grubby"),
        has_environment=block.startswith(SIGNATURE) or not files.exists(environment_path),
        password=_password(files, names, menu),
        xen_unrestricted="--unrestricted" in files.read(XEN_SCRIPT),
    )


def with_custom(files: HostFiles, layout: GrubLayout, menu: str) -> str:
    """Return a menu with the operator's custom.cfg where it is read, if there is one (GRUB manual, 41_custom)."""
    custom = files.read(f"{layout.directory}/custom.cfg")
    return _CUSTOM.sub(lambda _: custom, menu) if custom else menu


def _password(files: HostFiles, layout: GrubLayout, menu: str) -> str:
    user = f"{layout.directory}/user.cfg"
    if _USERS.search(menu) and (line := _line(files.read(user), re.compile(r"GRUB2_PASSWORD=\S"))):
        return f"{user}:{line}"
    # As many lines as before, for the number.
    others = _USERS.sub(lambda found: "\n" * found[0].count("\n"), menu)
    line = _line(others, _PASSWORD)
    return f"{layout.menu}:{line}" if line else ""


def _line(text: str, pattern: re.Pattern[str]) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 0)


def resolved(files: HostFiles, path: str) -> str:
    """Return what a symbolic link at `path` points to, on the host; `path` itself for anything else. One level."""
    where = files.at(path)
    if not where.is_symlink():
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), str(where.readlink())))


def parse_defaults(path: str, text: str) -> list[Assignment]:
    """Return the assignments in a file of defaults, unevaluated; of a line that goes on after a backslash all of it."""
    found = []
    for number, line in _joined_lines(text):
        if match := _ASSIGNMENT.match(line):
            found.append(Assignment(match[1], match[2].strip(), f"{path}:{number}"))
    return found


def _joined_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines as sh(1) joins them, each with the number of its first; comments go on in no other."""
    begun, first = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        first = first if begun else number
        begun += line
        if _GOES_ON.search(begun) and not begun.lstrip().startswith("#"):
            begun = begun[:-1]
        else:
            yield first, begun
            begun = ""
    if begun:
        yield first, begun


def read_menu(files: HostFiles, layout: GrubLayout) -> Menu:
    """Return the menu as it is now."""
    return menu_of(files, layout, files.read(layout.menu))


def menu_of(files: HostFiles, layout: GrubLayout, text: str) -> Menu:
    """Return a menu's text parsed, with what it reads beside it: custom.cfg, and kernels' files."""
    return parse_menu(with_custom(files, layout, text), read_bls(files))


def read_environment(files: HostFiles, layout: GrubLayout) -> dict[str, str]:
    """Return the environment block's variables as they are now."""
    return parse_environment(files.read(resolved(files, layout.environment)))


def menu_inputs(files: HostFiles) -> str:
    """Return a digest of all that the menu is made from: the same digest, the same menu."""
    digest = hashlib.sha256()
    for pattern in (*_DEFAULTS, *_SCRIPTS):
        for path in files.glob(pattern):
            where = files.at(path)
            digest.update(
                f"{path}\0{where.stat().st_mode:o}\0".encode() + where.read_bytes()
                if where.is_file()
                else b""
            )
    for pattern in _IMAGES:
        digest.update("\0".join(files.glob(pattern)).encode())
    return digest.hexdigest()
