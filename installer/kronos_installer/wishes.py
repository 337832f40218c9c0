"""What the operator may choose: from flags, an answer file or an interview, all the same in the end.

Each field's rule says what may be answered. The answer file's schema and its reader are made from
the fields and their rules; a field without a rule is not for the operator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kronos_installer.dom0_memory import LEAST_MIB
from kronos_installer.network.stack import BridgeKind

# IFNAMSIZ less the final NUL (netdevice(7)); no "/" and no blanks (ip-link(8)).
INTERFACE = r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}"
# RFC 1123, 2.1; gethostname(2): 64 at most.
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST_NAME = rf"(?=.{{1,64}}$){_LABEL}(\.{_LABEL})*"
# A name, an IPv4 or an IPv6 address.
PEER = r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}"
PATH = r"/[^\x00-\x1f\x7f]{0,4094}"
# The two that XML, by which the daemon is told, has no way to write.
TITLE = r"[^\x00-\x1f\x7f\ufffe\uffff]{1,255}"
PLACE = r"[^\x00-\x20\x7f\ufffe\uffff]{1,4095}"
USER = r"[^\x00-\x20\x7f\ufffe\uffff:]{1,255}"
# A SHA-256, with colons between the bytes or without.
SHA256 = r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}|[0-9A-Fa-f]{64}"
# That, or the whole line that openssl-x509(1) prints: "sha256 Fingerprint=" by OpenSSL 3, "SHA256 Fingerprint=" by 1.1.
FINGERPRINT = rf"((sha|SHA)256 Fingerprint=)?({SHA256})"


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
class Rule:
    """What may be answered: `about` is a sentence for people, `pattern` a whole text (or each of a list).

    Patterns mean the same to Python and to JSON Schema (ECMA 262).
    """

    about: str
    pattern: str = ""
    least: int = 0
    most: int = 0


def _rule(about: str, pattern: str = "", least: int = 0, most: int = 0) -> dict[str, Rule]:
    return {"rule": Rule(about, pattern, least, most)}


@dataclass(frozen=True)
class StorageWish:
    """A storage repository to make.

    `location` is a directory, a device, a volume group, `server:/path`, or RFC 4173's `server:protocol:port:LUN:target`.
    The password for an iSCSI target is read from `password_file` (root's, 0600) when it is needed, never kept here.
    """

    type: StorageType = field(metadata=_rule("What holds guests' disks."))
    location: str = field(
        metadata=_rule(
            "A directory, a device, a volume group's name, server:/path, or server::port:LUN:target (iscsi).",
            PLACE,
        )
    )
    name: str = field(default="Local storage", metadata=_rule("The repository's name.", TITLE))
    username: str = field(default="", metadata=_rule("What an iSCSI target knows the host by (CHAP).", USER))
    password_file: str = field(
        default="", metadata=_rule("A file of root's, mode 0600, that holds the password for CHAP.", PATH)
    )


@dataclass(frozen=True)
class IsoWish:
    """An ISO library. `location` is a directory or `server:/path`."""

    type: IsoType = field(metadata=_rule("What holds the images."))
    location: str = field(metadata=_rule("A directory, or server:/path.", PLACE))
    name: str = field(default="ISO library", metadata=_rule("The library's name.", TITLE))


@dataclass(frozen=True)
class PoolWish:
    """A pool to join. The password is read from `password_file` (root's, 0600) when it is needed, never kept.

    A master that does not show the certificate of `fingerprint`, where there is one, is never sent it.
    """

    master: str = field(metadata=_rule("The pool master's name or address.", PEER))
    username: str = field(default="root", metadata=_rule("A pool administrator.", USER))
    password_file: str = field(
        default="",
        metadata=_rule("A file of root's, mode 0600, that holds the administrator's password.", PATH),
    )
    fingerprint: str = field(
        default="",
        metadata=_rule(
            "SHA-256 of the certificate that the master must show, as openssl x509 -fingerprint -sha256 prints it.",
            FINGERPRINT,
        ),
    )

    @property
    def certificate(self) -> str:
        """The fingerprint as openssl-x509(1) prints it: AB:CD:...; "" where none was given."""
        digits = self.fingerprint.rpartition("=")[2].replace(":", "").upper()
        return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


@dataclass(frozen=True)
class Wishes:
    """All of it. Empty, 0 and None leave the choice to the plan. The uuids are for a host that has none yet."""

    installation_uuid: str
    control_domain_uuid: str
    management_interface: str = field(
        default="",
        metadata=_rule(
            "The interface that becomes the bridge's port; needed where several have addresses.", INTERFACE
        ),
    )
    network_backend: BridgeKind = field(
        default=BridgeKind.LINUX, metadata=_rule("What the management bridge is made of.")
    )
    dom0_memory_mib: int = field(
        default=0,
        metadata=_rule(
            "Memory of dom0 in MiB; computed from the host's otherwise.", least=LEAST_MIB, most=1 << 20
        ),
    )
    dom0_vcpus: int = field(
        default=0,
        metadata=_rule("Virtual processors of dom0; computed from the host's otherwise.", least=1, most=512),
    )
    confirm: Confirm = field(
        default=Confirm.GATEWAY,
        metadata=_rule(
            "Who says after the reboot that the host is reachable; else the old network comes back."
        ),
    )
    confirm_minutes: int = field(default=10, metadata=_rule("How long to wait for that.", least=1, most=1440))
    hostname: str = field(default="", metadata=_rule("The host's new name.", HOST_NAME))
    ntp_servers: tuple[str, ...] = field(
        default=(), metadata=_rule("Where the host takes its time from.", PEER)
    )
    open_firewall: bool = field(
        default=True, metadata=_rule("Whether the toolstack's ports are opened in the host's firewall.")
    )
    storage: StorageWish | None = field(default=None, metadata=_rule("A storage repository to make."))
    iso_library: IsoWish | None = field(default=None, metadata=_rule("An ISO library to make."))
    pool: PoolWish | None = field(
        default=None, metadata=_rule("The pool to join; the host is the master of its own otherwise.")
    )
