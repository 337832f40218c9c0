"""What earlier set-ups left: a finished rollback's journal, leftovers of ours without a journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.pool_conf import read_pool_conf
from kronos_installer.grub_layout import DEFAULTS
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

_STATE = str(Paths().host_setup_state)
# Files that only a set-up writes, as patterns.
_OURS = (
    "/etc/default/grub.d/zz*-xapi*.cfg",
    "/etc/systemd/timesyncd.conf.d/90-xapi-host-setup.conf",
    "/etc/chrony/sources.d/xapi-host-setup.sources",
    "/etc/netplan/99-xapi.yaml",
    "/etc/systemd/network/*-xapi*",
    "/etc/systemd/network/*.d/10-xapi.conf",
    "/etc/NetworkManager/conf.d/zz-xapi.conf",
    "/etc/sysctl.d/60-xapi-*.conf",
)

# Where mkconfig reads no folder, the paragraph that reads our files.
_ADDED = "# Added by xapi-host-setup"


@dataclass(frozen=True)
class Earlier:
    """`rolled_back` is the journal of a finished rollback, `leftovers` are files (and lines) of a set-up that has no journal."""

    rolled_back: str
    leftovers: tuple[str, ...]
    pool_member_of: str


def read_earlier(files: HostFiles) -> Earlier:
    """Read it."""
    has_journal = files.exists(f"{_STATE}/journal.jsonl")
    finished = f"{_STATE}/rolled-back.jsonl"
    return Earlier(
        finished if files.exists(finished) else "",
        () if has_journal else _leftovers(files),
        read_pool_conf(files).master,
    )


def _leftovers(files: HostFiles) -> tuple[str, ...]:
    lines = enumerate(files.read(DEFAULTS).splitlines(), 1)
    blocks = [f"{DEFAULTS}:{number}" for number, line in lines if line.startswith(_ADDED)]
    return (*(path for pattern in _OURS for path in files.glob(pattern)), *blocks)
