"""THE path table: every place on a host that more than one program of ours knows.

Names that XenAPI clients and third-party plugins look for keep their traditional
place (see docs/architecture.md); the rest follows the FHS and Debian Policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The paths below `root` (`/` on a host, a folder of one's own for tests and the simulator)."""

    root: Path = Path("/")

    def _at(self, path: str) -> Path:
        return self.root / path

    @property
    def state(self) -> Path:
        """The daemon's own state."""
        return self._at("var/lib/xapi")

    @property
    def database(self) -> Path:
        return self.state / "state.sqlite"

    @property
    def pool_master(self) -> Path:
        """On a member: the fingerprints of the certificates that its master may show."""
        return self.state / "pool-master"

    @property
    def master_to_join(self) -> Path:
        """The address of the master that the set-up is about to join, and the fingerprints of those certificates that it may show."""
        return self.state / "master-to-join"

    @property
    def leaving_pool(self) -> Path:
        """There while the host leaves its pool."""
        return self.state / "leaving-pool"

    @property
    def messages(self) -> Path:
        """The messages for people, a file each."""
        return self._at("var/lib/xapi/messages")

    @property
    def audit_log(self) -> Path:
        """Who asked for which change; former ones beside it, numbered."""
        return self._at("var/log/xapi/audit.log")

    @property
    def local_sr(self) -> Path:
        """Where the default file SR keeps its disks."""
        return self._at("var/lib/xapi/sr")

    @property
    def sr_device(self) -> Path:
        """Where the device that the set-up was given for disks is mounted."""
        return self._at("var/lib/xapi/storage")

    @property
    def sr_mounts(self) -> Path:
        """Where storage repositories of servers are mounted, by uuid."""
        return self._at("run/sr-mount")

    @property
    def iscsi_sessions(self) -> Path:
        """Which storage repositories use which iSCSI session."""
        return self._at("run/sr-iscsi")

    @property
    def domain_configs(self) -> Path:
        """Configurations handed to xl, one per running guest."""
        return self._at("run/xapi/domains")

    @property
    def unix_socket(self) -> Path:
        """Where clients on the host connect: root, no password."""
        return self._at("var/lib/xcp/xapi")

    @property
    def inventory(self) -> Path:
        return self._at("etc/xensource-inventory")

    @property
    def pool_conf(self) -> Path:
        return self._at("etc/xensource/pool.conf")

    @property
    def pool_secret(self) -> Path:
        """What hosts of a pool know one another by, mode 0600."""
        return self._at("etc/xensource/ptoken")

    @property
    def server_certificate(self) -> Path:
        """Key and certificate of the HTTPS server, one PEM, mode 0600."""
        return self._at("etc/xensource/xapi-ssl.pem")

    @property
    def pool_certificate(self) -> Path:
        """Key and certificate for the other hosts of a pool, one PEM, mode 0600."""
        return self._at("etc/xensource/xapi-pool-tls.pem")

    @property
    def trusted_certificates(self) -> Path:
        """The authorities that this host trusts, a PEM file each."""
        return self._at("etc/xensource/certs")

    @property
    def trusted_for_purposes(self) -> Path:
        """Certificates trusted for a purpose: a folder each, `general` for any."""
        return self._at("etc/xensource/certs-by-purpose")

    @property
    def revocation_lists(self) -> Path:
        return self._at("etc/xensource/crls")

    @property
    def trusted_bundle(self) -> Path:
        """All of `trusted_certificates` in one file, as TLS libraries want it."""
        return self._at("etc/xensource/ca-bundle.pem")

    @property
    def verify_certificates(self) -> Path:
        """There while the host verifies the certificates of those that it calls."""
        return self._at("var/lib/xapi/verify-certificates")

    @property
    def remote_syslog(self) -> Path:
        """Where rsyslog reads that messages go to another host too."""
        return self._at("etc/rsyslog.d/90-xapi-remote.conf")

    @property
    def initiator_name(self) -> Path:
        """open-iscsi's name of the host (iscsid(8))."""
        return self._at("etc/iscsi/initiatorname.iscsi")

    @property
    def console_timeout(self) -> Path:
        """What has login shells end when nobody types."""
        return self._at("etc/profile.d/xapi-console-timeout.sh")

    @property
    def ssh_auto_mode(self) -> Path:
        """Has systemd start ssh whenever the daemon ends."""
        return self._at("etc/systemd/system/xapi.service.d/10-ssh-auto-mode.conf")

    @property
    def disabled_until_boot(self) -> Path:
        """There while the host takes no guests until it is started anew."""
        return self._at("run/xapi/disabled")

    @property
    def disabled_for_good(self) -> Path:
        """There while the host takes no guests until somebody says so."""
        return self._at("var/lib/xapi/disabled")

    @property
    def traces(self) -> Path:
        """Where observers keep traces in files, for those who look into a fault."""
        return self._at("var/log/dt/zipkinv2/json")

    @property
    def crash_dumps(self) -> Path:
        """Where kdump keeps what is left of a crash, a folder each."""
        return self._at("var/crash")

    @property
    def config(self) -> Path:
        return self._at("etc/xapi.conf")

    @property
    def samba_config(self) -> Path:
        """smb.conf, which the daemon replaces while the host is in a domain."""
        return self._at("etc/samba/smb.conf")

    @property
    def former_samba_config(self) -> Path:
        """What smb.conf was before the host joined a domain."""
        return self.state / "smb.conf.before-domain"

    @property
    def secureboot_keys(self) -> Path:
        """Secure Boot's keys for guests with UEFI firmware."""
        return self._at("var/lib/varstored")

    @property
    def plugins(self) -> Path:
        return self._at("etc/xapi.d/plugins")

    @property
    def extensions(self) -> Path:
        return self._at("etc/xapi.d/extensions")

    @property
    def init_complete(self) -> Path:
        """Made when the daemon answers (`xapi-wait-init-complete` waits for it)."""
        return self._at("run/xapi/init-complete")

    @property
    def guest_boot_files(self) -> tuple[Path, ...]:
        """The only folders from which a guest may name a kernel or ramdisk of dom0's."""
        return (self._at("boot/guest"), self._at("var/lib/xcp/guest"))

    @property
    def host_setup_state(self) -> Path:
        """xapi-host-setup's journal and the originals it keeps."""
        return self._at("var/lib/xapi-host-setup")


PAM_SERVICE = "xapi"
