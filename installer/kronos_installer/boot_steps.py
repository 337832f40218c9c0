"""The steps that make Xen boot: first once, with the way back open, then for good. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.dom0_memory import checked_size_mib, dom0_memory_mib
from kronos_installer.dom0_vcpus import checked_vcpus, dom0_vcpus
from kronos_installer.grub_config import (
    CONFIG_PATH,
    DEFAULT_PATH,
    FALLBACK_PATH,
    FIRST_ENTRY,
    SIMPLE_LINUX,
    Dom0Size,
    SerialConsole,
    add_sourcing,
    parse_serial_console,
    render_at_once,
    render_default,
    render_fallback,
    render_once,
)
from kronos_installer.grub_layout import DEFAULTS
from kronos_installer.steps.file_step import FileStep
from kronos_installer.steps.grub_once_step import GrubOnceStep
from kronos_installer.steps.grub_step import Default, GrubDefaultStep, GrubScriptStep, GrubStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.detect.grub import Grub
    from kronos_installer.facts import Facts
    from kronos_installer.steps.step import Step

_SUBMENUS_OFF = re.compile(r"(y|yes|true)\Z")


@dataclass(frozen=True)
class _Boot:
    """What all steps are made from."""

    facts: Facts
    dom0: Dom0Size
    serial: SerialConsole | None


def dom0_size(facts: Facts, memory_mib: int = 0, vcpus: int = 0) -> Dom0Size:
    """Return dom0's share of the host; 0 leaves one of them to the policy. Raises Dom0MemoryError, Dom0VcpusError."""
    memory = checked_size_mib(memory_mib or dom0_memory_mib(facts.memory_mib), facts.memory_mib)
    return Dom0Size(memory, checked_vcpus(vcpus or dom0_vcpus(facts.cpus), facts.cpus))


def can_be_tried(facts: Facts) -> bool:
    """Tell whether Xen can be booted once: GRUB forgets the choice only where it can write its environment."""
    return facts.grub.can_choose_once and not facts.boot.environment_obstacle


def boot_steps(facts: Facts, dom0: Dom0Size) -> Iterator[Step]:
    """Yield the steps, those for after the reboot last."""
    boot = _Boot(facts, dom0, known_serial_console(facts))
    layout = facts.grub.files
    yield GrubScriptStep(
        path=FALLBACK_PATH,
        content=render_fallback(facts.grub.parsed.first_linux).encode(),
        before=facts.originals[FALLBACK_PATH],
        mode=0o755,
        layout=layout,
        reason="where GRUB cannot load Xen it boots the kernel without it, in place of waiting at its menu",
    )
    if not layout.reads_folder:
        before = facts.originals[DEFAULTS]
        text = add_sourcing(before.content.decode("latin-1") if before else "")
        yield FileStep(path=DEFAULTS, content=text.encode("latin-1"), before=before,
                       reason=f"{layout.mkconfig} reads the settings for Xen")  # fmt: skip
    if not can_be_tried(facts):
        text = render_at_once(dom0, boot.serial)
        yield _grub(
            boot, text, Default.XEN, "Xen is what boots by itself; the entries without it stay in the menu"
        )
        return
    text = render_once(dom0, boot.serial, fallback(facts.grub))
    yield _grub(boot, text, Default.LINUX, "Xen is in the menu; what boots by itself is still without it")
    yield GrubOnceStep(
        layout=layout, reason="a host whose Xen does not come up is back without it at the next reset"
    )
    yield GrubDefaultStep(
        path=DEFAULT_PATH,
        content=render_default().encode(),
        before=facts.originals[DEFAULT_PATH],
        layout=layout,
        reason="Xen has been seen to run: it is what boots by itself; the entries without it stay in the menu",
    )


def _grub(boot: _Boot, text: str, default: Default, reason: str) -> Step:
    facts = boot.facts
    return GrubStep(path=CONFIG_PATH, content=text.encode(), before=facts.originals[CONFIG_PATH],
                    layout=facts.grub.files, default=default, reason=reason)  # fmt: skip


def fallback(grub: Grub) -> str:
    """Return GRUB_DEFAULT, as shell text, that boots without Xen; "" where what is set does and goes on doing so.

    Debian's xen.cfg makes Xen the default as soon as its package is there, and hides what was chosen
    before. That is taken up again where it is a name; else it is the newest kernel.
    """
    menu, wished = grub.parsed, grub.setting("GRUB_DEFAULT")
    chosen = menu.default_entry(grub.environment)
    overridden = any(a.name == "XEN_OVERRIDE_GRUB_DEFAULT" for a in grub.assignments)
    # The set-up turns submenus on: places in the menu change, names outside submenus do not.
    moved = bool(_SUBMENUS_OFF.match(grub.setting("GRUB_DISABLE_SUBMENU"))) and wished not in ("saved", "0")
    if chosen is not None and chosen.boots_linux and not overridden and not (moved and not grub.bls):
        return ""
    entry = menu.resolve(grub.saved_entry if wished == "saved" else wished)
    if wished and not wished.isdigit() and not moved and entry is not None and entry.boots_linux:
        return shell_word(wished)
    return FIRST_ENTRY if grub.bls else SIMPLE_LINUX


def shell_word(text: str) -> str:
    """Return a text as one word of sh(1)."""
    return "'" + text.replace("'", "'\\''") + "'"


def serial_console(facts: Facts) -> SerialConsole | None:
    """Return the serial console in use. Below Xen the kernel has none of its own, GRUB's defaults still name it.

    Raises ValueError for a port that Xen cannot drive.
    """
    text = facts.machine.kernel_command_line
    if facts.machine.under_xen:
        text = "\n".join(a.value for a in facts.grub.assignments if a.name.startswith("GRUB_CMDLINE_LINUX"))
    return parse_serial_console(text)


def known_serial_console(facts: Facts) -> SerialConsole | None:
    """Return the serial console that Xen gets, None where it cannot drive the one in use."""
    try:
        return serial_console(facts)
    except ValueError:
        return None
