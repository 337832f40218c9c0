"""Who makes each place of the path table (xapi_shim/base/paths.py), and takes it away."""

from enum import Enum, auto

import pytest
from clean_machine import OURS

from xapi_shim.base.paths import Paths


def on_a_machine(test):
    return pytest.mark.packaging(pytest.mark.timeout(900)(test))


class Maker(Enum):
    PACKAGE = auto()  # a directory of exactly one package
    TMPFILES = auto()  # packaging/systemd/xapi.tmpfiles, when xapi-toolstack is configured
    DAEMON = auto()  # at run time
    HOST_SETUP = auto()  # by xapi-host-setup apply
    ADMINISTRATOR = auto()
    DISTRO = auto()  # another package: the daemon reads or replaces it, and a purge leaves it


MAKERS = {
    "state": Maker.TMPFILES,
    "database": Maker.DAEMON,
    "local_sr": Maker.DAEMON,
    "sr_device": Maker.HOST_SETUP,
    "sr_mounts": Maker.DAEMON,
    "iscsi_sessions": Maker.DAEMON,
    "domain_configs": Maker.DAEMON,
    "unix_socket": Maker.DAEMON,
    "inventory": Maker.HOST_SETUP,
    "pool_conf": Maker.HOST_SETUP,
    "server_certificate": Maker.DAEMON,
    "config": Maker.ADMINISTRATOR,
    "plugins": Maker.PACKAGE,
    "extensions": Maker.PACKAGE,
    "init_complete": Maker.DAEMON,
    "guest_boot_files": Maker.ADMINISTRATOR,
    "host_setup_state": Maker.HOST_SETUP,
    "messages": Maker.DAEMON,
    "audit_log": Maker.DAEMON,
    "pool_secret": Maker.DAEMON,
    "pool_master": Maker.DAEMON,
    "master_to_join": Maker.HOST_SETUP,
    "leaving_pool": Maker.DAEMON,
    "pool_certificate": Maker.DAEMON,
    "trusted_certificates": Maker.DAEMON,
    "trusted_for_purposes": Maker.DAEMON,
    "revocation_lists": Maker.DAEMON,
    "trusted_bundle": Maker.DAEMON,
    "verify_certificates": Maker.DAEMON,
    "remote_syslog": Maker.DAEMON,
    "initiator_name": Maker.DISTRO,
    "console_timeout": Maker.DAEMON,
    "ssh_auto_mode": Maker.DAEMON,
    "disabled_until_boot": Maker.DAEMON,
    "disabled_for_good": Maker.DAEMON,
    "traces": Maker.DAEMON,
    "crash_dumps": Maker.DISTRO,
    "samba_config": Maker.DISTRO,
    "former_samba_config": Maker.DAEMON,
    "secureboot_keys": Maker.ADMINISTRATOR,
}
# What the daemon makes on Xen only; the simulator keeps neither disks nor xl's files.
ON_XEN = {"local_sr", "sr_mounts", "iscsi_sessions", "domain_configs"}


def places(name):
    value = getattr(Paths(), name)
    return value if isinstance(value, tuple) else (value,)


def owners(machine, path):
    told = machine.run("dpkg-query", "--search", str(path), check=False).stdout
    return [line.partition(": ")[0] for line in told.splitlines() if line.endswith(f": {path}")]


def there(machine, name):
    return [path for path in places(name) if (machine.path / path.relative_to("/")).exists()]


FOLDERS = {"traces", "trusted_certificates", "trusted_for_purposes", "revocation_lists"}


def all_there(machine):
    return {name for name in MAKERS if there(machine, name)}


def made_by(*makers):
    return {name for name, by in MAKERS.items() if by in makers}


def leave_behind(machine, name):
    """Make what the daemon makes of `name` when it is asked to."""
    for path in places(name):
        place = machine.path / path.relative_to("/")
        place = place / "something" if name in FOLDERS else place
        place.parent.mkdir(parents=True, exist_ok=True)
        if name in ON_XEN:
            place.mkdir(exist_ok=True)
        elif not place.exists():
            place.write_text("# kept by the daemon\n")


def test_every_place_has_a_maker():
    assert set(MAKERS) == {name for name, value in vars(Paths).items() if isinstance(value, property)}


@on_a_machine
def test_every_place_is_made_and_goes_as_said(machine):
    distro = made_by(Maker.DISTRO) & all_there(machine)
    machine.apt("update")
    machine.apt("install", "xapi")
    made = all_there(machine)
    assert made == made_by(Maker.PACKAGE, Maker.TMPFILES) | distro
    for name, by in MAKERS.items():
        for path in places(name) if by is not Maker.DISTRO else ():
            assert len(owners(machine, path)) == (1 if by is Maker.PACKAGE else 0), path
    machine.smoke()
    run = all_there(machine) - made
    # init_complete is gone again with the daemon, and so is the socket's listener, not its name.
    assert run <= made_by(Maker.DAEMON) - ON_XEN
    assert {"database", "server_certificate", "audit_log"} <= run
    for name in made_by(Maker.DAEMON):
        leave_behind(machine, name)
    machine.apt("purge", *OURS)
    assert all_there(machine) - {"samba_config"} == distro - {"samba_config"}
    # The purged host is in no domain any more: its own smb.conf is in its place again.
    assert (machine.path / "etc/samba/smb.conf").read_text() == "# kept by the daemon\n"


@on_a_machine
def test_no_file_has_two_owners(machine):
    machine.apt("update")
    machine.apt("install", "xapi")
    seen = {}
    for listed in (machine.path / "var/lib/dpkg/info").glob("*.list"):
        for path in listed.read_text().splitlines():
            if not (machine.path / path.lstrip("/")).is_dir():
                seen.setdefault(path, set()).add(listed.stem)
    ours = {path: packages for path, packages in seen.items() if packages & OURS}
    assert len(ours) > 100
    assert {path: packages for path, packages in ours.items() if len(packages) > 1} == {}
