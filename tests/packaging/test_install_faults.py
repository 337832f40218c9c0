"""What goes wrong or sideways with packages on real hosts: kills, changed files, ways back."""

import pytest
from clean_machine import OURS

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

PAM = "etc/pam.d/xapi"
KEEP_MINE = ["-o", "Dpkg::Options::=--force-confold"]
# Takes the place of what the packages' scripts call, and kills dpkg and the script in the middle of one.
CALLED = "usr/bin/py3compile"
KILLER = """\
#!/bin/sh
case " $* " in *" PACKAGE "*)
    mv /usr/bin/py3compile.real /usr/bin/py3compile
    for process in /proc/[0-9]*; do
        [ "$(cat "$process/comm")" != dpkg ] || kill -9 "${process#/proc/}"
    done
    kill -9 $PPID
    exit 1 ;;
esac
exec /usr/bin/py3compile.real "$@"
"""


def arm_killer(machine, package):
    (machine.path / CALLED).rename(machine.path / f"{CALLED}.real")
    machine.root.write(f"/{CALLED}", KILLER.replace("PACKAGE", package), 0o755)


def states(machine):
    told = machine.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n").stdout
    words = (line.split() for line in told.splitlines())
    return {package: state for state, package in words if package in OURS}


def install_old(machine, old_debs):
    for path in old_debs:
        machine.root.copy_in(path, f"/srv/old/{path.name}")
    names = [f"/srv/old/{path.name}" for path in old_debs]
    machine.apt("install", "--allow-downgrades", *KEEP_MINE, *names)
    assert all("~old" in version for version in machine.installed().values())


def write(machine, path, text):
    place = machine.path / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


@pytest.mark.parametrize("package", ["xapi-common", "xapi-toolstack"])
def test_a_killed_dpkg_is_taken_up_again(machine, package):
    machine.apt("update")
    before = machine.files()
    arm_killer(machine, package)
    assert machine.apt("install", "xapi", check=False).returncode != 0
    assert states(machine)[package] == "half-configured"
    assert states(machine)["xapi"] == "unpacked"
    machine.run("dpkg", "--configure", "--pending")
    assert set(states(machine).values()) == {"installed"}
    assert machine.run("dpkg", "--audit").stdout == ""
    machine.smoke()
    machine.apt("purge", *OURS)
    assert machine.files() == before


def test_an_upgrade_that_was_killed_is_taken_up_again(machine, old_debs):
    machine.apt("update")
    before = machine.files()
    install_old(machine, old_debs)
    arm_killer(machine, "xapi-toolstack")
    assert machine.apt("upgrade", check=False).returncode != 0
    assert states(machine)["xapi-toolstack"] == "half-configured"
    machine.run("dpkg", "--configure", "--pending")
    assert set(machine.installed()) == OURS
    assert not any("~old" in version for version in machine.installed().values())
    machine.smoke()
    machine.apt("purge", *OURS)
    assert machine.files() == before


def test_what_an_administrator_changed_is_kept(machine, old_debs):
    """Through an upgrade that changes the same file, and through a removal and an installation."""
    machine.apt("update")
    before = machine.files()
    install_old(machine, old_debs)
    assert (machine.path / PAM).read_text().endswith("# older\n")
    machine.apt("upgrade")
    assert "older" not in (machine.path / PAM).read_text()

    mine = "auth required pam_deny.so\naccount required pam_deny.so\n"
    install_old(machine, old_debs)
    write(machine, PAM, mine)
    write(machine, "etc/xapi.d/plugins/mine", "#!/bin/sh\n")
    machine.apt("upgrade", *KEEP_MINE)
    assert (machine.path / PAM).read_text() == mine

    write(machine, "var/lib/xapi/state.sqlite", "records")
    write(machine, "etc/xensource/xapi-ssl.pem", "certificate")
    kept = (PAM, "etc/xapi.d/plugins/mine", "var/lib/xapi/state.sqlite", "etc/xensource/xapi-ssl.pem")
    wanted = {path: (machine.path / path).read_text() for path in kept}
    machine.apt("remove", *OURS)
    assert machine.installed() == {}
    assert {path: (machine.path / path).read_text() for path in kept} == wanted
    machine.apt("install", "xapi")
    assert {path: (machine.path / path).read_text() for path in kept} == wanted

    (machine.path / "etc/xapi.d/plugins/mine").unlink()
    machine.apt("purge", *OURS)
    assert machine.files() == before


def test_a_downgrade_works_with_the_records_there_are(machine, old_debs):
    machine.apt("update")
    before = machine.files()
    machine.apt("install", "xapi")
    machine.smoke()
    install_old(machine, old_debs)
    machine.smoke()
    machine.apt("purge", *OURS)
    assert machine.files() == before


def test_a_purge_after_a_removal_keeps_guests_disks(machine):
    machine.apt("update")
    machine.apt("install", "xapi")
    disk = "var/lib/xapi/sr/local/disk.qcow2"
    write(machine, disk, "a guest's")
    write(machine, "var/lib/xapi/state.sqlite", "records")
    machine.apt("remove", *OURS)
    assert (machine.path / "var/lib/xapi/state.sqlite").exists()
    machine.apt("purge", *OURS)
    assert (machine.path / disk).read_text() == "a guest's"
    assert [p.name for p in (machine.path / "var/lib/xapi").iterdir()] == ["sr"]


def test_a_host_that_is_set_up_keeps_its_tool(machine):
    machine.apt("update")
    machine.apt("install", "xapi-host-setup")
    write(machine, "var/lib/xapi-host-setup/journal.jsonl", "{}\n")
    refused = machine.apt("remove", "xapi-host-setup", check=False)
    assert refused.returncode != 0
    assert "undo it first: xapi-host-setup rollback" in refused.stderr + refused.stdout
    assert set(machine.installed()) == {"xapi-common", "xapi-host-setup"}


def test_a_purge_tells_what_xens_own_leaves_undone(machine):
    machine.apt("update")
    machine.apt("install", "xapi-host-setup")
    machine.apt("remove", "xapi-host-setup")
    assert "update-grub" not in machine.apt("purge", "xapi-host-setup").stdout
    machine.apt("install", "xapi-host-setup")
    (machine.path / "boot/grub").mkdir(parents=True, exist_ok=True)
    machine.root.write("/usr/sbin/update-grub", "#!/bin/sh\n", 0o755)
    write(machine, "etc/default/grub.d/xen.cfg", "")
    assert "run update-grub after it" in machine.apt("purge", "xapi-host-setup").stdout
