"""docs/examples as their own tools see them, and the Ansible role against the program on a captured host.

The tools come from Debian where they are missing; what cannot be installed here is named by a skip.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from dead_man_kit import boot, settled
from installer_kit import HERE, make_host, snapshot

from kronos_installer.answers import read_answers
from kronos_installer.journal import Journal, Phase
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import PackagesMissingError, ensure_packages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kronos_installer.host import Host

REPO = HERE.parents[2]
EXAMPLES = REPO / "docs/examples"
PRESEEDS = {"preseed": EXAMPLES / "preseed/xapi.cfg", "preseed-cdrom": EXAMPLES / "preseed/xapi-cdrom.cfg"}
ROLE = EXAMPLES / "ansible/roles/xapi_host_setup"
PROGRAM = """\
#!{python}
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from installer_kit import FakeCommands
from kronos_installer.main import main
root = Path({root!r})
sys.exit(main([*sys.argv[1:], "--root", str(root)], runner=FakeCommands(root)))
"""


def tool(program: str, package: str) -> str:
    """Return where a program is, from its Debian package if it is not there yet."""
    if not shutil.which(program):
        try:
            ensure_packages([package], reporter=Reporter())
        except PackagesMissingError as error:
            pytest.skip(str(error))
    return program


def run(argv: list[str], env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, text=True, capture_output=True, check=False, env={**os.environ, **(env or {})}
    )


def embedded(text: str, start: str, end: str) -> str:
    found = re.search(rf"{re.escape(start)}\n(.*?)\n\s*{re.escape(end)}", text, re.DOTALL)
    assert found is not None
    return textwrap.dedent(found[1]) + "\n"


def test_all_example_answers_are_right() -> None:
    kickstart = (EXAMPLES / "kickstart/xapi.ks").read_text()
    cloud = yaml.safe_load((EXAMPLES / "cloud-init/user-data.yaml").read_text())
    (in_cloud,) = (f["content"] for f in cloud["write_files"] if f["path"] == "/etc/xapi-host-setup.yaml")
    inventory = yaml.safe_load((EXAMPLES / "ansible/inventory.yml").read_text())["xapi_hosts"]["hosts"]
    texts = [
        (EXAMPLES / "answers.yaml").read_text(),
        embedded(kickstart, "<<'ANSWERS'", "ANSWERS"),
        in_cloud,
        *(json.dumps(host["xapi_answers"]) for host in inventory.values()),
        embedded((REPO / "docs/unattended.md").read_text(), "```yaml", "```"),
    ]
    for text in texts:
        assert read_answers(text.encode(), "example")


def test_what_is_installed_is_what_installers_look_for() -> None:
    place = "/usr/share/doc/xapi-host-setup/examples/xapi-host-setup-once.service"
    assert (EXAMPLES / Path(place).name).exists()
    assert all(place in file.read_text() for file in PRESEEDS.values())
    assert place in (EXAMPLES / "kickstart/xapi.ks").read_text()
    assert (REPO / "debian/xapi-host-setup.examples").read_text() == "docs/examples/*\n"
    assert "%doc docs/examples\n" in (REPO / "rpm/xapi.spec").read_text()


def test_the_unit_of_the_first_boot_is_disabled_before_the_reboot() -> None:
    """Without that a purge, which takes the journal away, and a new installation would set the host up once more."""
    unit = (EXAMPLES / "xapi-host-setup-once.service").read_text()
    after = re.findall(r"^ExecStartPost=(.*)$", unit, re.MULTILINE)
    assert [command.split()[1] for command in after] == ["disable", "--no-block"]
    assert after[0].endswith("xapi-host-setup-once.service")


@pytest.mark.parametrize("version", ["F42", "F43", "F44", "F45"])
def test_the_kickstart_is_valid(version: str, tmp_path: Path) -> None:
    validator = str(Path(sys.executable).with_name("ksvalidator"))
    if not Path(validator).exists():
        pytest.skip("no ksvalidator: pip install pykickstart (requirements.txt has it)")
    good = run([validator, "--version", version, "--followincludes", str(EXAMPLES / "kickstart/xapi.ks")])
    assert good.returncode == 0, good.stdout
    bad = tmp_path / "bad.ks"
    bad.write_text(
        (EXAMPLES / "kickstart/xapi.ks").read_text().replace("firstboot --disable", "firstboot --never")
    )
    assert run([validator, "--version", version, str(bad)]).returncode != 0


@pytest.mark.parametrize("name", PRESEEDS)
def test_the_preseed_is_valid(name: str, tmp_path: Path) -> None:
    checker = shutil.which("debconf-set-selections")
    if not checker:
        pytest.skip("no debconf-set-selections: this is no Debian")
    good = run([checker, "--checkonly", str(PRESEEDS[name])])
    assert (good.returncode, good.stderr) == (0, "")
    bad = tmp_path / "bad.cfg"
    bad.write_text(PRESEEDS[name].read_text().replace("d-i pkgsel/include string", "d-i pkgsel/include"))
    assert run([checker, "--checkonly", str(bad)]).stderr


def scripts() -> dict[str, str]:
    cloud = yaml.safe_load((EXAMPLES / "cloud-init/user-data.yaml").read_text())
    (script,) = (f["content"] for f in cloud["write_files"] if f["path"] == "/root/install-xapi")
    kickstart = (EXAMPLES / "kickstart/xapi.ks").read_text()
    late = {name: file.read_text().partition("late_command string")[2] for name, file in PRESEEDS.items()}
    return {
        "cloud-init": script,
        "kickstart": kickstart.partition("%post")[2].partition("\n")[2].rpartition("%end")[0],
        **{name: text.replace("\\\n", " ") for name, text in late.items()},
    }


@pytest.mark.packaging
@pytest.mark.parametrize("name", ["cloud-init", "kickstart", *PRESEEDS])
def test_shell_in_examples_is_clean(name: str, tmp_path: Path) -> None:
    shellcheck = tool("shellcheck", "shellcheck")
    (tmp_path / "script").write_text(scripts()[name])
    done = run([shellcheck, "--shell=sh", "--exclude=SC1091", str(tmp_path / "script")])
    assert done.returncode == 0, done.stdout


@pytest.fixture
def play(tmp_path: Path):
    """Run the role on this machine, with a program that works on a captured host."""
    host = make_host(tmp_path)
    program = tmp_path / "xapi-host-setup"
    path = [str(HERE), *(str(REPO / room) for room in (".", "installer"))]
    program.write_text(PROGRAM.format(python=sys.executable, path=path, root=str(host.root)))
    program.chmod(0o755)
    ansible = tool("ansible-playbook", "ansible-core")
    site = tmp_path / "site.yml"
    site.write_text("- hosts: all\n  gather_facts: false\n  roles: [xapi_host_setup]\n")
    settings = {"xapi_install": False, "xapi_reboot": False, "xapi_command": str(program),
                "ansible_python_interpreter": "/usr/bin/python3"}  # fmt: skip

    def run_role(answers: object, *flags: str, **more: object) -> tuple[int, dict[str, int], str]:
        extra = json.dumps({**settings, "xapi_answers": answers, **more})
        env = {"ANSIBLE_ROLES_PATH": str(ROLE.parent), "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_NOCOLOR": "1",
               "HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
               "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote")}  # fmt: skip
        argv = [ansible, "-i", "host,", "-c", "local", "-e", extra, *flags, str(site)]
        done = run(argv, env)
        recap = re.findall(r"(\w+)=(\d+)", done.stdout.rpartition("PLAY RECAP")[2])
        return done.returncode, {word: int(count) for word, count in recap}, done.stdout

    return host, run_role


# Nothing that a daemon would have to answer for: there is none on the stand-in host.
ANSWERS = {"dom0_memory_mib": 1024, "ntp_servers": ["ntp.example.org"]}


def phase(host: Host) -> Phase:
    return Journal(host).load().phase


@pytest.mark.packaging
def test_the_role_sets_a_host_up_once(play) -> None:
    host, run_role = play
    before = snapshot(host)
    status, counts, said = run_role(ANSWERS, "--check")
    assert (status, counts["changed"], counts["failed"]) == (0, 1, 0), said
    assert snapshot(host) == before
    status, counts, said = run_role(ANSWERS)
    assert (status, counts["changed"], counts["failed"]) == (0, 1, 0), said
    wishes = Journal(host).load().wishes
    assert wishes is not None
    assert (wishes.dom0_memory_mib, wishes.ntp_servers) == (1024, ("ntp.example.org",))
    for flags in ((), ("--check",)):
        status, counts, said = run_role(ANSWERS, *flags)
        assert (status, counts["changed"], counts["failed"]) == (0, 0, 0), said
    boot(host, xen=True)
    assert settled(host).phase is Phase.FINISHED
    for flags in ((), ("--check",)):
        status, counts, said = run_role(ANSWERS, *flags)
        assert (status, counts["changed"], counts["failed"]) == (0, 0, 0), said
    status, counts, said = run_role({**ANSWERS, "hostname": "other"}, "--check")
    assert (status, counts["changed"], counts["failed"]) == (2, 0, 1), said
    assert "reconfigure" in said


@pytest.mark.packaging
@pytest.mark.parametrize("flags", [(), ("--check",)])
def test_the_role_fails_on_wrong_answers_and_changes_nothing(play, flags: tuple[str, ...]) -> None:
    host, run_role = play
    before = snapshot(host)
    status, counts, said = run_role({"dom0_memory": 1024}, *flags)
    assert (status, counts["changed"], counts["failed"]) == (2, 0, 1), said
    assert "there is no such key" in said
    assert snapshot(host) == before


@pytest.mark.packaging
def test_the_role_goes_on_where_an_apply_was_cut_off(play) -> None:
    host, run_role = play
    assert run_role(ANSWERS)[0] == 0
    journal = host.at("/var/lib/xapi-host-setup/journal.jsonl")
    journal.write_bytes(journal.read_bytes().rstrip(b"\n").rpartition(b"\n")[0] + b"\n")
    assert phase(host) is Phase.APPLYING
    status, counts, said = run_role(ANSWERS, "--check")
    assert (status, counts["changed"], phase(host)) == (0, 1, Phase.APPLYING), said
    status, counts, said = run_role(ANSWERS)
    assert (status, counts["changed"]) == (0, 1), said
    assert phase(host) is Phase.APPLIED


@pytest.mark.packaging
def test_the_pools_password_is_for_root_alone_and_not_shown(play, tmp_path: Path) -> None:
    _, run_role = play
    file = tmp_path / "password"
    answers = {**ANSWERS, "pool": {"master": "xen0.example.org", "password_file": str(file)}}
    _, _, said = run_role(answers, "-v", xapi_pool_password="not to be seen")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("not to be seen\n", 0o600)
    assert "not to be seen" not in said


@pytest.mark.packaging
@pytest.mark.parametrize("pool", [{"master": "192.0.2.10", "password_file": "/root/none"}, None])
def test_the_masters_fingerprint_is_a_variable_of_who_joins(play, pool: dict[str, str] | None) -> None:
    """What is handed over is refused: it is no fingerprint. A host that joins no pool has no use for it."""
    _, run_role = play
    status, _, said = run_role({**ANSWERS, "pool": pool}, "-v", xapi_pool_fingerprint="not one")
    assert (status != 0, "pool.fingerprint: 'not one' cannot be meant" in said) == (pool is not None,) * 2, (
        said
    )


@pytest.mark.packaging
def test_the_playbook_and_its_inventory_are_ansibles(tmp_path: Path) -> None:
    ansible = tool("ansible-playbook", "ansible-core")
    argv = [
        ansible,
        "-i",
        str(EXAMPLES / "ansible/inventory.yml"),
        "--syntax-check",
        str(EXAMPLES / "ansible/site.yml"),
    ]
    done = run(argv, {"HOME": str(tmp_path), "ANSIBLE_ROLES_PATH": str(ROLE.parent)})
    assert done.returncode == 0, done.stderr
