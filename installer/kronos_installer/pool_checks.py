"""What forbids joining a pool, from this host's facts and from what the pool's master told. Pure.

Where the XenAPI has a name for a refusal it stands in brackets: the one with which pool.join would fail.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from kronos_installer.detect.hostname import is_hostname
from kronos_installer.detect.nics import NicKind
from kronos_installer.detect.pool_conf import POOL_CONF
from kronos_installer.detect.pool_master import LOOK_THERE
from kronos_installer.facts import INVENTORY
from kronos_installer.identity import host_uuid
from kronos_installer.password_file import is_lasting
from kronos_installer.problem import Level, Problem
from kronos_installer.remote_client import HTTPS_PORT
from kronos_installer.wishes import IsoType, StorageType
from xapi_shim import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.detect.pool_master import PoolMaster
    from kronos_installer.facts import Facts
    from kronos_installer.network.stack import Management
    from kronos_installer.wishes import PoolWish, Wishes

MOST_HOSTS = 64
# Tickets and sessions of a pool are dated: Kerberos' bound (RFC 4120, 1.6).
MOST_SECONDS_APART = 300
_XEN_IMAGE = re.compile(r"/boot/xen-(\d+\.\d+)")
_SHARED = frozenset({StorageType.NFS, StorageType.ISCSI})


def pool_problems(facts: Facts, wishes: Wishes, management: Management | None) -> Iterator[Problem]:
    """Yield all of them; `management` is None while it is not clear."""
    member_of = facts.system.earlier.pool_member_of
    pool = wishes.pool
    if pool is None:
        if member_of:
            yield Problem(Level.WARNING, "pool-member", f"pool.conf makes this host a member of the pool of {member_of}",
                          "", f"{POOL_CONF}:1", "write 'master' there for a pool of its own")  # fmt: skip
        return
    if member_of:
        yield _error("pool-member", f"this host is a member of the pool of {member_of} already", f"{POOL_CONF}:1",
                     "xapi-host-setup leave-pool")  # fmt: skip
    yield from _joiner(facts, wishes, management)
    unnamed = tuple(name_problems(pool, facts.system.hostname.name))
    yield from unnamed
    if not is_lasting(pool.password_file):
        yield _error("pool-password-file", f"{pool.password_file} is gone after the reboot, when the pool is joined",
                     "--password-file", "keep it on a disk until then: in /root")  # fmt: skip
    match facts.pool_master:
        case Problem() as problem:
            yield problem
        case None:
            if not unnamed:
                yield _error("pool-master-unasked", f"{pool.master} has not been asked", "--join", "ask it")
        case master:
            yield from _pool(facts, wishes, pool, master, management)


def name_problems(pool: PoolWish, hostname: str) -> Iterator[Problem]:
    """Yield why the name of the master cannot be one; `hostname` is this host's. Such a one is not asked."""
    try:
        address = ipaddress.ip_address(pool.master)
    except ValueError:
        if not is_hostname(pool.master):
            yield _error("pool-master-invalid", f"{pool.master!r} is no host's name or address", "--join",
                         "give the master's name or IP address")  # fmt: skip
        itself = pool.master.lower().rstrip(".") in ("localhost", hostname.lower())
    else:
        itself = address.is_loopback or address.is_unspecified
    if itself:
        yield _error("pool-join-itself", f"{pool.master} is this host (OPERATION_NOT_ALLOWED)", "--join",
                     "name the master of another pool")  # fmt: skip


def _error(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)


def _joiner(facts: Facts, wishes: Wishes, management: Management | None) -> Iterator[Problem]:
    """Yield what a pool does not take with a host: it brings its own networks and shared storage."""
    nic = management.interface if management else ""
    for interface in facts.nics:
        at = f"/sys/class/net/{interface.name}"
        # The management's, too: a pool has its bonds made on all hosts alike.
        if interface.kind is NicKind.BOND:
            yield _error(
                "pool-join-bond", f"the bond {interface.name} (POOL_JOINING_HOST_HAS_BONDS)", at, "remove it"
            )
        elif interface.name != nic and interface.kind is NicKind.VLAN:
            yield _error("pool-join-vlan", f"the VLAN {interface.name} (POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS)",
                         at, "remove it")  # fmt: skip
    shared = []
    if wishes.storage is not None and wishes.storage.type in _SHARED:
        shared.append((wishes.storage.location, "--storage"))
    if wishes.iso_library is not None and wishes.iso_library.type is IsoType.NFS:
        shared.append((wishes.iso_library.location, "--iso-library"))
    for location, flag in shared:
        yield _error("pool-join-shared-storage", f"{location} is shared storage "
                     "(JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS)", flag, "make it on the pool, once")  # fmt: skip


def _pool(
    facts: Facts, wishes: Wishes, pool: PoolWish, master: PoolMaster, management: Management | None
) -> Iterator[Problem]:
    at = f"{pool.master}:{HTTPS_PORT}"
    if pool.fingerprint:
        yield Problem(Level.INFO, "pool-master-certificate", f"{pool.master} shows the certificate that was asked for, of "
                      f"the SHA-256 fingerprint {master.fingerprint}", "", at)  # fmt: skip
    else:
        yield Problem(Level.WARNING, "pool-master-certificate", f"{pool.master} was sent the password, and nobody has "
                      f"compared its certificate, of the SHA-256 fingerprint {master.fingerprint}", "", at,
                      f"compare it, on the master: {LOOK_THERE}; then give it: --join-fingerprint")  # fmt: skip
    yield from _hosts(facts, master, at)
    yield from _software(facts, master, at)
    yield from _hardware(facts, master, at)
    if master.ha_enabled:
        yield _error("pool-ha", "the pool is highly available now (HA_IS_ENABLED)", at,
                     "xe pool-ha-disable there, join, and enable it again")  # fmt: skip
    if master.external_auth:
        yield _error("pool-external-auth", f"the pool knows its users by {master.external_auth}, this host does not "
                     "(POOL_JOINING_EXTERNAL_AUTH_MISMATCH)", at,
                     "xe pool-disable-external-auth there, join, and enable it again")  # fmt: skip
    if master.verifies and not facts.verifies_certificates:
        yield _error("pool-tls-verification", "the pool's hosts verify one another's certificates, this host does not "
                     "(POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH)", at,
                     "xe host-emergency-disable-tls-verification on each of them, join, and enable it again")  # fmt: skip
    if abs(master.seconds_ahead) > MOST_SECONDS_APART:
        yield _error("pool-clock", f"the clocks are {abs(master.seconds_ahead):.0f} s apart: the master's is "
                     f"{'ahead' if master.seconds_ahead > 0 else 'behind'}", at,
                     "let both hosts take the time from the same servers: --ntp-server")  # fmt: skip
    yield from _network(wishes, master, management, at)


def _hosts(facts: Facts, master: PoolMaster, at: str) -> Iterator[Problem]:
    before = facts.originals[INVENTORY]
    own = host_uuid(before.content.decode("latin-1") if before else "")
    if len(master.hosts) >= MOST_HOSTS and own not in [host.uuid for host in master.hosts]:
        yield _error("pool-full", f"the pool has {len(master.hosts)} hosts, {MOST_HOSTS} are the most "
                     "(LICENCE_RESTRICTION)", at, "join another pool")  # fmt: skip
    for host in master.hosts:
        if own and host.uuid == own and host.live:
            yield _error("pool-host-exists", f"the pool has a host of this one's uuid, which is alive: {host.name} "
                         "(HOST_IS_LIVE)",
                         f"{INVENTORY}: INSTALLATION_UUID", "remove the file if this host is a copy of that one")  # fmt: skip
        elif own and host.uuid == own:
            yield Problem(Level.WARNING, "pool-host-known", f"the pool has a host of this one's uuid, which does not live: "
                          f"{host.name}; its record becomes this host's", "", f"{INVENTORY}: INSTALLATION_UUID",
                          "remove the file if this host is a copy of that one")  # fmt: skip


def _hardware(facts: Facts, master: PoolMaster, at: str) -> Iterator[Problem]:
    its, own = (
        f"{it.cpu_vendor or 'not known'}, family {it.cpu_family or 'not known'}"
        for it in (master, facts.machine)
    )
    if its != own:
        yield _error("pool-cpu", f"the pool's processors are {its}, this host's {own} (HOSTS_NOT_HOMOGENEOUS)", at,
                     "join a pool of hosts of the same make")  # fmt: skip


def _software(facts: Facts, master: PoolMaster, at: str) -> Iterator[Problem]:
    told = master.software
    brand, build = told.get("product_brand", ""), told.get("xapi_build", "")
    if (brand, build) != ("Kronos", __version__):
        yield _error("pool-version", f"the master runs {brand or 'another toolstack'} {build or 'of no known version'}, "
                     f"this host Kronos {__version__} (HOSTS_NOT_COMPATIBLE)", at,
                     "install the same version on both")  # fmt: skip
    # /boot/xen-4.17-amd64.gz, of which the master says 4.17.5: the rest shows when it runs.
    images = {found[1] for found in map(_XEN_IMAGE.match, facts.machine.xen_images) if found}
    xen = told.get("xen", "")
    if images and not any(xen.startswith(f"{version}.") or xen == version for version in images):
        yield _error("pool-xen", f"the master runs Xen {xen or 'of no known version'}, this host has "
                     f"{', '.join(sorted(images))} (HOSTS_NOT_HOMOGENEOUS)", at, "install the same version on both")  # fmt: skip


def _network(wishes: Wishes, master: PoolMaster, management: Management | None, at: str) -> Iterator[Problem]:
    backend = master.software.get("network_backend", "")
    if backend != wishes.network_backend:
        yield _error("pool-network-backend", f"the pool's bridges are of {backend or 'no known kind'}, this host's would "
                     f"be of {wishes.network_backend} (OPERATION_NOT_ALLOWED)", at,
                     f"--network-backend {backend or '...'}")  # fmt: skip
    if management is None:
        return
    tag = management.vlan or -1
    if tag != master.vlan:
        yield _error("pool-management-vlan", f"the pool's management network has the VLAN tag {_tag(master.vlan)}, this "
                     f"host's {_tag(tag)} (POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH)", management.at,
                     "put both on one network")  # fmt: skip
    if master.address_type and master.address_type != management.address_type:
        yield _error("pool-address-type", f"the pool's hosts are reached by {master.address_type}, this one by "
                     f"{management.address_type} (OPERATION_NOT_ALLOWED)", management.at, "give it such an address")  # fmt: skip


def _tag(vlan: int) -> str:
    return str(vlan) if vlan >= 0 else "none"
