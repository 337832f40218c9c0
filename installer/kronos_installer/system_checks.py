"""What of the system besides boot and network stands in the way, or deserves a look. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.hostname import HOSTNAME, HOSTS, is_hostname, is_localhost
from kronos_installer.detect.system import SystemFacts, time_file
from kronos_installer.detect.time_sync import TimeService
from kronos_installer.firewall.firewall_plan import firewall_problems
from kronos_installer.problem import Level, Problem
from kronos_installer.time_edit import is_time_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.wishes import Wishes


def system_problems(system: SystemFacts, wishes: Wishes, nic: str) -> Iterator[Problem]:
    """Yield all of them. `nic` is the management interface, "" while it is not clear which."""
    yield from system.unreadable
    yield from _software(system)
    yield from _guests_network(system)
    yield from hostname_problems(system, wishes)
    yield from time_problems(system, wishes)
    yield from _rest(system)
    if nic:
        yield from firewall_problems(system, wishes, nic)


def _error(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.ERROR, id_, title, description, at, remedy)


def _warning(id_: str, title: str, at: str, remedy: str, description: str = "") -> Problem:
    return Problem(Level.WARNING, id_, title, description, at, remedy)


def _software(system: SystemFacts) -> Iterator[Problem]:
    software = system.software
    if software.kvm_users:
        yield _error("kvm-in-use", "guests run on KVM, which is not there under Xen", f"{software.kvm_at}:1",
                     "shut them down, and see that nothing starts them at boot")  # fmt: skip
    elif software.libvirt:
        yield _warning("libvirt-enabled", "libvirt is started at boot; its KVM guests cannot run under Xen",
                       software.libvirt, "systemctl disable libvirtd, or move its guests")  # fmt: skip
    for path in software.libvirt_guests:
        yield _warning("kvm-guest-at-boot", "libvirt starts a guest at boot, on KVM, which is not there under Xen", path,
                       "virsh autostart --disable, and move the guest")  # fmt: skip
    for path in software.appliances:
        yield _error("appliance-exists", "the host is an appliance for KVM guests, whose own tools set it up", path,
                     "set up a host of its own: both would configure network, storage and boot")  # fmt: skip
    for path in software.toolstacks:
        yield _error("toolstack-exists", "another toolstack for Xen is installed", path,
                     "remove it: two toolstacks would both start and stop the host's guests")  # fmt: skip
    if software.other_inventory:
        yield _warning("inventory-exists", "the inventory is another product's; its uuids are kept",
                       software.other_inventory, "remove the file if this host is to be a new one")  # fmt: skip
    for path in software.xen_guests:
        yield _warning("xen-guest-at-boot", "Xen's scripts start a guest at boot that the toolstack does not know of",
                       path, "remove the link, and make the guest a VM of the toolstack")  # fmt: skip
    for path in system.earlier.leftovers:
        yield _warning("leftover", "an earlier set-up left this file, and its journal is gone", path,
                       "remove it; it counts as the operator's, and stays on a rollback")  # fmt: skip


def _guests_network(system: SystemFacts) -> Iterator[Problem]:
    """Yield what keeps packets of guests from passing the bridge (bridge-nf-call-iptables: kernel's ip-sysctl.rst)."""
    software = system.software
    if software.docker and software.docker_keeps_iptables:
        yield _warning("docker-drops-bridged", "docker drops what is forwarded, which is what guests send and get "
                       "once br_netfilter is loaded", software.bridge_netfilter or software.docker,
                       "sysctl net.bridge.bridge-nf-call-iptables=0 in /etc/sysctl.d, or iptables: false in "
                       "/etc/docker/daemon.json")  # fmt: skip
    elif software.bridge_netfilter and any(wall.policy in ("drop", "reject") for wall in system.firewalls):
        yield _warning("firewall-drops-bridged", "the firewall sees what guests send and get, and drops what it does "
                       "not know", software.bridge_netfilter, "sysctl net.bridge.bridge-nf-call-iptables=0 in "
                       "/etc/sysctl.d")  # fmt: skip
    for path in software.libvirt_networks:
        yield _warning("libvirt-network", "libvirt starts a network with a bridge and rules of its own at boot", path,
                       "virsh net-autostart --disable, unless something needs it")  # fmt: skip


def hostname_problems(system: SystemFacts, wishes: Wishes) -> Iterator[Problem]:
    """Yield what is wrong with the host's name, and with the wish for another."""
    hostname = system.hostname
    if not wishes.hostname:
        if not hostname.resolvable and (hostname.name or hostname.running):
            yield _warning("hostname-not-resolvable", f"the host's name {hostname.name or hostname.running} has no "
                           "address without a network", f"{HOSTS}:1", f"add '127.0.1.1 {hostname.name}' to {HOSTS}")  # fmt: skip
        if is_localhost(hostname.name or hostname.running):
            yield _warning("hostname-missing", f"the host is called {hostname.name or hostname.running}, as every host is "
                           "that has no name", f"{HOSTNAME}:1", "give it a name of its own: --hostname")  # fmt: skip
        return
    if is_localhost(wishes.hostname):
        yield _error("hostname-invalid", f"{wishes.hostname} is the loopback's name on every host", "--hostname",
                     "give a name of the host's own")  # fmt: skip
    elif not is_hostname(wishes.hostname):
        yield _error("hostname-invalid", f"{wishes.hostname!r} is no name for a host", "--hostname",
                     "letters, digits and hyphens, at most 63 between dots")  # fmt: skip
    for path in (HOSTNAME, HOSTS):
        if path in system.unsuitable:
            yield system.unsuitable[path]
    if hostname.cloud_init:
        yield _error("cloud-init-hosts", f"cloud-init writes {HOSTS} anew at every boot", hostname.cloud_init,
                     "set manage_etc_hosts: false there, or touch /etc/cloud/cloud-init.disabled")  # fmt: skip
    if hostname.cloud_init_sets:
        yield _error("cloud-init-hostname", "cloud-init gives the host its name at every boot",
                     "/etc/cloud/cloud.cfg:1", "set preserve_hostname: true in /etc/cloud/cloud.cfg.d")  # fmt: skip


def time_problems(system: SystemFacts, wishes: Wishes) -> Iterator[Problem]:
    """Yield what is wrong with the clock, and with the wish for other servers."""
    time_sync = system.time_sync
    for server in wishes.ntp_servers:
        if not is_time_server(server):
            yield _error("time-server-invalid", f"{server!r} is no time server's name or address", "--ntp-server",
                         "give a host's name or an IP address")  # fmt: skip
    path = time_file(time_sync)
    if wishes.ntp_servers and not path:
        what = f"{time_sync.service} keeps the clock" if time_sync.service else "nothing keeps the clock"
        yield _error("time-service-unsupported", f"{what}: time servers cannot be set", "/etc/systemd/system/*.wants",
                     "install chrony or systemd-timesyncd")  # fmt: skip
    elif wishes.ntp_servers and path in system.unsuitable:
        yield system.unsuitable[path]
    if time_sync.service is TimeService.NONE:
        yield _warning("time-not-kept", "nothing keeps the clock; hosts of a pool, tickets and certificates need one "
                       "time", "/etc/systemd/system/*.wants: no chrony, systemd-timesyncd or ntpd",
                       "install chrony")  # fmt: skip
    if time_sync.others:
        names = ", ".join(other.value for other in time_sync.others)
        yield _warning("time-several", f"{time_sync.service} is not alone in keeping the clock: {names} too is started at "
                       "boot", "/etc/systemd/system/*.wants", "systemctl disable all but one of them")  # fmt: skip
    if time_sync.synchronized is False and time_sync.service is not TimeService.NONE:
        yield _warning("time-not-synchronized", f"{time_sync.service} has not synchronised the clock",
                       "timedatectl: NTPSynchronized=no", "see whether its servers can be reached")  # fmt: skip


def _rest(system: SystemFacts) -> Iterator[Problem]:
    if not system.resolver.servers:
        yield _warning(
            "dns-missing", "no name server is known", "/etc/resolv.conf:1", "add a nameserver line"
        )
    elif not system.resolver.asked:
        yield _warning("dns-missing", "systemd-resolved knows no name server to ask",
                       "/run/systemd/resolve/resolv.conf:1", "see 'resolvectl dns'")  # fmt: skip
    if system.confinement.selinux_configured == "enforcing":
        yield Problem(Level.INFO, "selinux-enforcing", "SELinux is enforcing, and has no policy for the toolstack",
                      "", "/etc/selinux/config", "see 'ausearch -m avc' when something is refused")  # fmt: skip
