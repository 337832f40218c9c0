"""What is known of the host's boot, as `check --json` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from kronos_installer.detect.boot import Boot
    from kronos_installer.detect.grub import Grub


class BootRecord(TypedDict):
    """Names of entries are ids where they have one. `default_set` is GRUB_DEFAULT as written.

    `password` is where GRUB is told to ask for one before it starts entries, "" where it is not. `environment_obstacle`
    is "" where GRUB can write its block.
    """

    layout: str
    default_set: str
    default: str
    default_boots_xen: bool
    next_entry: str
    saved_entry: str
    menu_hidden: bool
    submenus: int
    bls_entries: list[str]
    grubby: bool
    password: str
    environment: str
    environment_obstacle: str
    free_bytes: int
    read_only: list[str]
    efi_file: str
    efi_loader: str
    efi_order: list[str]
    iommu: str
    cpus: int


def boot_record(grub: Grub, boot: Boot, cpus: int) -> BootRecord:
    """Return the record."""
    default = grub.parsed.default_entry(grub.environment)
    return {
        "layout": grub.layout.name if grub.layout else "",
        "default_set": grub.written("GRUB_DEFAULT"),
        "default": (default.id or default.title) if default else "",
        "default_boots_xen": bool(default and default.boots_xen),
        "next_entry": grub.next_entry,
        "saved_entry": grub.saved_entry,
        "menu_hidden": grub.menu_hidden,
        "submenus": sum(entry.submenu for entry in grub.parsed.entries),
        "bls_entries": [entry.id for entry in grub.bls],
        "grubby": grub.has_grubby,
        "password": grub.password,
        "environment": grub.environment_path,
        "environment_obstacle": boot.environment_obstacle,
        "free_bytes": boot.free_bytes,
        "read_only": [path for path, _ in boot.read_only],
        "efi_file": boot.efi.file if boot.efi else "",
        "efi_loader": boot.efi.loader if boot.efi else "",
        "efi_order": list(boot.efi.order) if boot.efi else [],
        "iommu": boot.iommu,
        "cpus": cpus,
    }
