"""debian/ and what both kinds of packages install from packaging/: that they fit together."""

import os
import re

import pytest
from debian.deb822 import Deb822

from kronos_packaging.declarations import REPO, load_components

DEBIAN, SYSTEMD = REPO / "debian", REPO / "packaging/systemd"
# systemd.exec(5): each puts the service, and all that it starts for guests, into mounts of its own.
PRIVATE_MOUNTS = {
    "InaccessiblePaths", "PrivateDevices", "PrivateMounts", "PrivateTmp", "ProcSubset", "ProtectControlGroups",
    "ProtectHome", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc",
    "ProtectSystem", "ReadOnlyPaths", "ReadWritePaths", "RootDirectory", "RootImage", "TemporaryFileSystem",
}  # fmt: skip


def unit_settings():
    lines = (SYSTEMD / "xapi.service").read_text().splitlines()
    return [tuple(line.split("=", 1)) for line in lines if re.match(r"[A-Z]\w+=", line)]


def words_of(pattern):
    return {word for path in DEBIAN.glob(pattern) for word in path.read_text().split()}


def test_what_both_kinds_of_packages_install_is_in_one_place():
    links = {path.name: path.readlink() for path in DEBIAN.iterdir() if path.is_symlink()}
    assert {name: str(target) for name, target in links.items()} == {
        "xapi-host-setup.xapi-host-guard.service": "../packaging/systemd/xapi-host-guard.service",
        "xapi-host-setup.xapi-host-settle.service": "../packaging/systemd/xapi-host-settle.service",
        "xapi-toolstack.xapi.pam": "../packaging/pam.d/xapi",
        "xapi-toolstack.xapi.service": "../packaging/systemd/xapi.service",
        "xapi-toolstack.xapi.tmpfiles": "../packaging/systemd/xapi.tmpfiles",
    }
    (component,) = (c for c in load_components() if c.name == "kronos")
    for name in links:
        place = (DEBIAN / name).resolve(strict=True).relative_to(REPO)
        assert any(place.is_relative_to(path) for path in component.deb.paths), name


def test_what_is_to_be_installed_is_there_and_in_the_source_package():
    (component,) = (c for c in load_components() if c.name == "kronos")
    for path in [line.split()[0] for p in DEBIAN.glob("*.install") for line in p.read_text().splitlines()]:
        assert (REPO / path).exists(), path
        assert any((REPO / path).is_relative_to(REPO / own) for own in component.deb.paths), path


def test_every_program_has_a_manual_page():
    pages = {path.rpartition("/")[2].rpartition(".")[0] for path in words_of("*.manpages")}
    assert {path.name for path in (REPO / "packaging/scripts").iterdir()} == pages


def test_every_room_of_the_toolstack_is_in_a_package():
    rooms = {f"xapi_shim/{p.parent.name}" for p in (REPO / "xapi_shim").glob("*/__init__.py")}
    assert rooms <= words_of("*.install")


def test_the_units_directories_are_made_at_installation_too():
    """The same modes in both: a package that is configured looks as one whose daemon has run."""
    settings = dict(unit_settings())
    made = {}
    for line in (SYSTEMD / "xapi.tmpfiles").read_text().splitlines():
        if not line.startswith("#"):
            kind, path, mode, user, group, age = line.split()
            assert (kind, user, group, age) == ("d", "root", "root", "-")
            made[path] = mode
    for name in settings["StateDirectory"].split():
        assert made[f"/var/lib/{name}"] == settings["StateDirectoryMode"]
    assert made[f"/var/log/{settings['LogsDirectory']}"] == settings["LogsDirectoryMode"]


def test_the_daemon_and_its_guests_stay_in_the_hosts_mounts():
    assert {name for name, _ in unit_settings()} & PRIVATE_MOUNTS == set()


def test_what_may_not_be_done_fails_and_does_not_kill():
    """A system call that the unit forbids is an error that qemu can handle, not the guest's end."""
    names = [name for name, _ in unit_settings()]
    assert ("SystemCallErrorNumber", "EPERM") in unit_settings()
    assert names.count("SystemCallFilter") == 1
    rights = [value for name, value in unit_settings() if name == "CapabilityBoundingSet"]
    assert all(value.startswith("~CAP_") for value in rights)
    # What PAM, qemu, LVM and libxl were found to need.
    needed = {
        "CAP_AUDIT_WRITE",
        "CAP_SYS_RAWIO",
        "CAP_IPC_LOCK",
        "CAP_MKNOD",
        "CAP_NET_ADMIN",
        "CAP_SYS_ADMIN",
    }
    assert needed.isdisjoint(" ".join(rights).replace("~", "").split())


@pytest.mark.parametrize("name", ["smoke", "lab"])
def test_the_packages_own_tests_can_be_run(name):
    control = (DEBIAN / "tests/control").read_text()
    tests = {p["Tests"]: p for p in Deb822.iter_paragraphs(control)}
    assert set(tests) == {"smoke", "lab"}
    assert os.access(DEBIAN / "tests" / name, os.X_OK)
    restrictions = set(re.split(r"[,\s]+", tests[name]["Restrictions"]))
    assert "needs-root" in restrictions
    assert ("superficial" in restrictions) == (name == "smoke")
    assert {"isolation-machine", "needs-reboot"} <= restrictions or name == "smoke"


def test_passwords_stay_out_of_command_lines():
    for path in (DEBIAN / "tests").iterdir():
        assert not re.search(r"-pw\b|--password", path.read_text()), path.name


def test_versions_are_a_native_packages():
    assert (DEBIAN / "source/format").read_text() == "3.0 (native)\n"
    (version,) = re.findall(r"^kronos \((.+)\) ", (DEBIAN / "changelog").read_text(), re.MULTILINE)[:1]
    assert "-" not in version


def test_no_signal_ends_what_takes_the_network_back():
    """systemd.service(5): a service that dies of SIGTERM, SIGHUP, SIGINT or SIGPIPE has not failed."""
    lines = (SYSTEMD / "xapi-host-settle.service").read_text().splitlines()
    assert "Restart=always" in lines
    # Settled, and a step after the confirmation that somebody has to mend.
    assert "RestartPreventExitStatus=0 5" in lines
