"""How Xen is started: GRUB's settings below /etc/default/grub.d (Debian's and Ubuntu's way), taken by update-grub(8)."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from xapi_shim.host.config_files import replace_files
from xapi_shim.host.interface import HostError, NotHereError
from xapi_shim.host.linux_tools import run_tool

UPDATE_S = 600.0
# After those of others: Xen takes the last of two.
FILE = "etc/default/grub.d/95-xapi-xen.cfg"
_OPTION = re.compile(
    r'^GRUB_CMDLINE_XEN="\$GRUB_CMDLINE_XEN ([a-z0-9_-]+)=([A-Za-z0-9,.:-]+)"$', re.MULTILINE
)
_WORD = re.compile(r"[A-Za-z0-9,.:_-]+")


class GrubBoot:
    """A BootLoader; files are below `root`, programs act on this host."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._file = root / FILE

    def _options(self) -> dict[str, str]:
        try:
            return dict(_OPTION.findall(self._file.read_text()))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise HostError(f"cannot read {self._file}: {error}") from error

    async def xen_option(self, name: str) -> str | None:
        return self._options().get(name)

    async def set_xen_option(self, name: str, value: str) -> None:
        if not _WORD.fullmatch(name) or not _WORD.fullmatch(value):
            raise HostError(f"not an option of Xen's command line: {name}={value}")
        if shutil.which("update-grub") is None:
            raise NotHereError("how Xen is started", "update-grub is not installed")
        options = {**self._options(), name: value}
        lines = "".join(f'GRUB_CMDLINE_XEN="$GRUB_CMDLINE_XEN {n}={v}"\n' for n, v in sorted(options.items()))
        await replace_files({self._file: f"# Set by way of XenAPI.\n{lines}".encode()}, _update)


async def _update() -> None:
    """Write GRUB's configuration anew, in a unit of its own: it looks at disks as the daemon may not."""
    await run_tool(
        "systemd-run", "--wait", "--collect", "--quiet", "--pipe", "update-grub", timeout_s=UPDATE_S
    )
