"""What the operator may choose: from flags, an answer file or an interview, all the same in the end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kronos_installer.network.stack import BridgeKind


class Confirm(StrEnum):
    """Who says that the host is reachable after its reboot; without it the old network comes back."""

    GATEWAY = "gateway"
    OPERATOR = "operator"
    MASTER = "master"


class StorageType(StrEnum):
    """Where guests' disks are kept."""

    DIRECTORY = "directory"
    DEVICE = "device"
    LVM = "lvm"
    NFS = "nfs"
    ISCSI = "iscsi"


class IsoType(StrEnum):
    """Where installation media are taken from."""

    DIRECTORY = "directory"
    NFS = "nfs"


@dataclass(frozen=True)
class StorageWish:
    """A storage repository to make. `location` is a directory, a device, a volume group, or `server:/path`."""

    type: StorageType
    location: str
    name: str = "Local storage"


@dataclass(frozen=True)
class IsoWish:
    """An ISO library. `location` is a directory or `server:/path`."""

    type: IsoType
    location: str
    name: str = "ISO library"


@dataclass(frozen=True)
class PoolWish:
    """A pool to join. The password is read from `password_file` (root's, 0600) when it is needed, never kept."""

    master: str
    username: str = "root"
    password_file: str = ""


@dataclass(frozen=True)
class Wishes:
    """All of it. Empty, 0 and None leave the choice to the plan. The uuids are for a host that has none yet."""

    installation_uuid: str
    control_domain_uuid: str
    management_interface: str = ""
    network_backend: BridgeKind = BridgeKind.LINUX
    dom0_memory_mib: int = 0
    dom0_vcpus: int = 0
    confirm: Confirm = Confirm.GATEWAY
    confirm_minutes: int = 10
    hostname: str = ""
    ntp_servers: tuple[str, ...] = ()
    open_firewall: bool = True
    storage: StorageWish | None = None
    iso_library: IsoWish | None = None
    pool: PoolWish | None = None
