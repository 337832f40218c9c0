"""What the options of Xen that an operator has given GRUB mean for a set-up. Pure.

Of an option that is given twice Xen takes the last (xen-command-line); GRUB_CMDLINE_XEN_DEFAULT comes after
GRUB_CMDLINE_XEN (20_linux_xen), to which the set-up adds its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.grub_config import changed_files
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.detect.grub import Assignment, Grub

_OPTIONS = re.compile(r"GRUB_CMDLINE_(LINUX_)?XEN(_REPLACE)?(_DEFAULT)?")
_XEN_ONLY = re.compile(r"GRUB_CMDLINE_XEN(_DEFAULT)?")
_LATER = "GRUB_CMDLINE_XEN_DEFAULT"
_WORD = re.compile(r"[^\s\"']+")
# `reboot` takes a list (xen/arch/x86/shutdown.c).
_STAYS_DOWN = re.compile(r"noreboot(=(1|on|yes|true|enable))?|reboot=(.*,)?n.*")
_DOM0 = re.compile(r"dom0_(mem|max_vcpus)=.*")


def own_options(grub: Grub) -> Iterator[Problem]:
    """Yield what an operator's options have a set-up host do, each by file and line."""
    for assignment in _own(grub):
        yield Problem(Level.WARNING, "grub-own-xen-options", f"{assignment.name} is set already; it is kept and "
                      "added to", "", assignment.at, "")  # fmt: skip
        for word in _words(assignment, _LATER, _DOM0):
            yield Problem(Level.WARNING, "grub-own-dom0", f"{word} comes after what is set up for dom0, and counts", "",
                          assignment.at, f"remove it from {assignment.name}, and give --dom0-mem and --dom0-vcpus")  # fmt: skip
    yield from stays_down(grub)


def stays_down(grub: Grub) -> Iterator[Problem]:
    """Yield what keeps a Xen that crashes from ending its boot: the host would never come back by itself."""
    for assignment in _own(grub):
        for word in _words(assignment, _XEN_ONLY, _STAYS_DOWN):
            yield Problem(Level.ERROR, "xen-stays-down", f"a Xen that crashes stands still with {word}",
                          "The host would not come back on its old kernel without somebody at its console.",
                          assignment.at, f"remove it from {assignment.name}")  # fmt: skip


def _own(grub: Grub) -> Iterator[Assignment]:
    ours = tuple(f"{path}:" for path in changed_files(grub.files) if "xapi" in path)
    for assignment in grub.assignments:
        if _OPTIONS.match(assignment.name) and not assignment.at.startswith(ours):
            yield assignment


def _words(assignment: Assignment, name: str | re.Pattern[str], word: re.Pattern[str]) -> Iterator[str]:
    if re.fullmatch(name, assignment.name):
        yield from (found for found in _WORD.findall(assignment.value) if word.fullmatch(found))
