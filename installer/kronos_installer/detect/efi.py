"""What the EFI firmware started: its variables BootCurrent, BootOrder and Boot#### (UEFI specification, 3.1 and 3.3).

efivarfs shows each variable with four bytes of attributes before it. Nothing here is ever written: GRUB stays
what the firmware starts, and GRUB chooses Xen.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_VARIABLES = "/sys/firmware/efi/efivars"
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
_SYSTEMD = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
_ATTRIBUTES = 4
# GRUB, the shim that Secure Boot starts it through, and what a firmware without a setting of its own looks for.
_GRUBS = re.compile(r".*\\(?:grub|shim|boot(?:x64|ia32)\.)[^\\]*", re.IGNORECASE)
_MEDIA, _FILE_PATH, _END = 4, 4, 0x7F


@dataclass(frozen=True)
class EfiBoot:
    """What was started: the option's name and file (backslashes, as the firmware writes it), "" where not known.

    `order` are the numbers of all options, first to last. `loader` is what the loader says of itself (the Boot Loader
    Interface's LoaderInfo): systemd-boot does, and GRUB from 2.12 on, by its module bli.
    """

    current: str
    name: str
    file: str
    order: tuple[str, ...]
    loader: str

    @property
    def other_loader(self) -> str:
        """What says of itself that it started the host and is not GRUB, "" for none."""
        return "" if self.loader.startswith("GRUB") else self.loader

    @property
    def unlikely_file(self) -> str:
        """The file that was started, where nothing says and its name does not show that it is GRUB or leads to it."""
        return "" if self.loader or not self.file or _GRUBS.fullmatch(self.file) else self.file


def read_efi(files: HostFiles) -> EfiBoot | None:
    """Return what the firmware started, None on a host that BIOS started."""
    if not files.exists("/sys/firmware/efi"):
        return None
    number = _read(files, f"BootCurrent-{_GLOBAL}")
    current = f"{struct.unpack('<H', number)[0]:04X}" if len(number) == 2 else ""
    name, file = parse_load_option(_read(files, f"Boot{current}-{_GLOBAL}")) if current else ("", "")
    order = _read(files, f"BootOrder-{_GLOBAL}")
    return EfiBoot(
        current=current,
        name=name,
        file=file,
        order=tuple(f"{n:04X}" for (n,) in struct.iter_unpack("<H", order[: len(order) // 2 * 2])),
        loader=_text(_read(files, f"LoaderInfo-{_SYSTEMD}")),
    )


def _read(files: HostFiles, variable: str) -> bytes:
    return files.read_bytes(f"{_VARIABLES}/{variable}")[_ATTRIBUTES:]


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", errors="replace").partition("\0")[0]


def parse_load_option(data: bytes) -> tuple[str, str]:
    """Return description and file of an EFI_LOAD_OPTION (3.1.3); "" for what it does not have."""
    if len(data) < 6:
        return "", ""
    (length,) = struct.unpack_from("<H", data, 4)
    end = next((i for i in range(6, len(data) - 1, 2) if data[i : i + 2] == b"\0\0"), len(data))
    return _text(data[6:end]), _file(data[end + 2 : end + 2 + length])


def _file(path: bytes) -> str:
    """Return the file of a device path (10.2): nodes of type, subtype, length and data."""
    while len(path) >= 4:
        kind, subtype, length = struct.unpack_from("<BBH", path)
        if kind == _END or length < 4:
            break
        if (kind, subtype) == (_MEDIA, _FILE_PATH):
            return _text(path[4:length])
        path = path[length:]
    return ""
