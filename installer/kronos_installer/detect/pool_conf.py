"""pool.conf: whether the host is the master of its pool, or whose member it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles

POOL_CONF = str(Paths().pool_conf)
_MASTER, _SLAVE = "master", "slave"


@dataclass(frozen=True)
class PoolConf:
    """What it says: `master`, or `slave:ADDRESS`. `master` is that address, "" for none."""

    text: str
    role: str
    master: str

    @property
    def is_sound(self) -> bool:
        """Whether it says which of the two the host is."""
        return self.role == _MASTER or bool(self.master)

    @property
    def is_master(self) -> bool:
        """Whether the host is the master of its pool."""
        return self.role == _MASTER


def read_pool_conf(files: HostFiles) -> PoolConf:
    """Read it; a file that is not there says nothing."""
    return parse_pool_conf(files.read(POOL_CONF))


def parse_pool_conf(content: str) -> PoolConf:
    """Return what a pool.conf says. Pure."""
    text = content.strip()
    role, _, master = text.partition(":")
    return PoolConf(text, role.strip(), master.strip() if role.strip() == _SLAVE else "")
