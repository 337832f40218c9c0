"""docs/examples/preseed with Debian's own installer: packages from the network, and from the medium."""

import shutil

import pytest
from booted_root import booted
from debian.deb822 import Packages
from debian_installer import debian_installer, own_answers

from kronos_packaging.declarations import REPO, load_target
from kronos_packaging.repository.serve import serving
from xapi_shim.base.process import run

# The release that the examples name.
TARGET = load_target("debian-13")
pytestmark = [pytest.mark.packaging, pytest.mark.long, pytest.mark.timeout(5400)]

EXAMPLES = REPO / "docs/examples"
BOOT_S = 600.0
UNIT = "xapi-host-setup-once.service"
ANSWERS = "confirm: gateway\nstorage: {type: lvm, location: guests}\n"


@pytest.fixture
def installer(tmp_path):
    with debian_installer(TARGET, tmp_path) as made:
        yield made


def installed(target):
    """Return the names of the packages that are installed."""
    with (target / "var/lib/dpkg/status").open() as file:
        return {
            one["Package"]
            for one in Packages.iter_paragraphs(file, use_apt_pkg=False)
            if one["Status"] == "install ok installed"
        }


def ready_for_the_first_boot(target):
    """The unit is there and enabled; the answers are, for root alone; nothing of the installer's is left."""
    answers = target / "etc/xapi-host-setup.yaml"
    assert (answers.read_text(), answers.stat().st_mode & 0o7777) == (ANSWERS, 0o600)
    unit = target / "etc/systemd/system" / UNIT
    assert unit.read_text() == (EXAMPLES / UNIT).read_text()
    wanted = target / "etc/systemd/system/multi-user.target.wants" / UNIT
    assert wanted.is_symlink()
    expected = {"xapi", "xapi-toolstack", "xen-system-amd64", "openssh-server", "systemd-timesyncd"}
    assert expected <= installed(target)
    assert not (target / "usr/sbin/policy-rc.d").exists()
    assert run(["chroot", target, "dpkg", "--audit"]).stdout == ""


def starts_the_set_up(target, tmp_path):
    """Booted, the system asks for its set-up with the answers; a folder has neither boot loader nor NIC: refused."""
    with booted(target, tmp_path / "log", BOOT_S) as machine:
        told = machine.run("systemctl", "show", "--property=ConditionResult,Result", UNIT).splitlines()
        assert sorted(told) == ["ConditionResult=yes", "Result=exit-code"]
        said = machine.run("journalctl", "--unit", UNIT, "--output=cat")
        assert '"outcome": "refused"' in said
        assert '"id": "storage-group-missing"' in said
        assert not machine.exists("/var/lib/xapi-host-setup/journal.jsonl")


def test_packages_from_the_network(installer, dist, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "answers.yaml").write_text(ANSWERS)
    with serving(dist) as ours, serving(served) as theirs:
        packages, files = f"http://127.0.0.1:{ours}", f"http://127.0.0.1:{theirs}"
        example = (EXAMPLES / "preseed/xapi.cfg").read_text()
        for name, here in (("packages.example.org/kronos", packages), ("install.example.org", files)):
            example = example.replace(f"https://{name}", here)
        (served / "xapi.cfg").write_text(example)
        (served / "preseed.cfg").write_text(own_answers(TARGET, "xapi.cfg"))
        installer.preseed(f"{files}/preseed.cfg")
        installer.base_system()
        # Before there is a source by https that apt has to verify.
        assert "ca-certificates" in installed(installer.target)
        installer.packages()
        ready_for_the_first_boot(installer.target)
        sources = (installer.target / "etc/apt/sources.list").read_text()
        key = "/etc/apt/keyrings/Kronos.asc"
        assert f"deb [signed-by={key}] {packages}/apt {TARGET.suite} main" in sources.splitlines()
    starts_the_set_up(installer.target, tmp_path)
    shown = (dist / "kronos-archive-keyring.asc").read_bytes()
    assert (installer.target / key.lstrip("/")).read_bytes() == shown


def test_packages_from_the_medium(installer, dist):
    medium = installer.path / "cdrom"
    medium.mkdir(exist_ok=True)
    shutil.copytree(dist, medium / "kronos")
    (medium / "answers.yaml").write_text(ANSWERS)
    shutil.copy(EXAMPLES / "preseed/xapi-cdrom.cfg", medium)
    (medium / "preseed.cfg").write_text(own_answers(TARGET, "xapi-cdrom.cfg"))
    installer.preseed("file:///cdrom/preseed.cfg")
    installer.base_system()
    installer.packages()
    ready_for_the_first_boot(installer.target)
    # apt finds what is there without the medium.
    shutil.rmtree(medium)
    told = run(["chroot", installer.target, "apt-cache", "policy", "xapi"]).stdout
    assert "file:/srv/kronos/apt trixie/main" in told
    run(["chroot", installer.target, "apt-get", "update", "-o", "Dir::Etc::SourceList=/dev/null"])
