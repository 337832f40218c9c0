"""Who makes each place of the path table (xapi_shim/base/paths.py), and takes it away."""

from enum import Enum, auto

import pytest
from clean_machine import OURS

from xapi_shim.base.paths import Paths

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]


class Maker(Enum):
    PACKAGE = auto()  # a directory of exactly one package
    TMPFILES = auto()  # packaging/systemd/xapi.tmpfiles, when xapi-toolstack is configured
    DAEMON = auto()  # at run time
    HOST_SETUP = auto()  # by xapi-host-setup apply
    ADMINISTRATOR = auto()


MAKERS = {
    "state": Maker.TMPFILES,
    "database": Maker.DAEMON,
    "local_sr": Maker.DAEMON,
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
}
# What the daemon makes on Xen only; the simulator keeps neither disks nor xl's files.
ON_XEN = {"local_sr", "domain_configs"}


def places(name):
    value = getattr(Paths(), name)
    return value if isinstance(value, tuple) else (value,)


def owners(machine, path):
    told = machine.run("dpkg-query", "--search", str(path), check=False).stdout
    return [line.partition(": ")[0] for line in told.splitlines() if line.endswith(f": {path}")]


def there(machine, name):
    return [path for path in places(name) if (machine.path / path.relative_to("/")).exists()]


def test_every_place_has_its_maker(machine):
    assert set(MAKERS) == {name for name, value in vars(Paths).items() if isinstance(value, property)}
    machine.apt("update")
    machine.apt("install", "xapi")
    made = {name for name in MAKERS if there(machine, name)}
    assert made == {name for name, by in MAKERS.items() if by in (Maker.PACKAGE, Maker.TMPFILES)}
    for name, by in MAKERS.items():
        for path in places(name):
            assert len(owners(machine, path)) == (1 if by is Maker.PACKAGE else 0), path
    machine.smoke()
    run = {name for name in MAKERS if there(machine, name)} - made
    # init_complete is gone again with the daemon, and so is the socket's listener, not its name.
    assert run <= {name for name, by in MAKERS.items() if by is Maker.DAEMON} - ON_XEN
    assert {"database", "server_certificate"} <= run
    machine.apt("purge", *OURS)
    assert [name for name in MAKERS if there(machine, name)] == []


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
