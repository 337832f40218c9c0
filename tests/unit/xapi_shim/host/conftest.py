"""Hosts' systems to hold to the same tests."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from xapi_shim.host.linux import linux_system
from xapi_shim.host.simulated import simulated_system

TOOLS = ("systemctl", "timedatectl", "hostnamectl", "journalctl", "chronyc", "systemd-run", "update-grub")


class StandIns:
    """The stand-ins' folder, and what they were asked."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def calls(self):
        return [call for call in self.state["calls"] if call[1] != "list-unit-files"]

    @property
    def state(self):
        return json.loads((self.folder / "state.json").read_text())

    def refuse_next_restart(self):
        (self.folder / "refuse-restart").touch()

    def cut_the_bus(self, *, goes_down):
        (self.folder / "cut-bus").touch()
        if not goes_down:
            (self.folder / "refuse-going-down").touch()


@pytest.fixture
def stand_ins(tmp_path, monkeypatch):
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        shutil.copy(Path(__file__).with_name("stand_in_systemd.py"), folder / name)
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return StandIns(folder)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def linux(stand_ins, root):
    return linux_system(root)


@pytest.fixture(params=["simulated", "linux"])
def system(request):
    return simulated_system() if request.param == "simulated" else request.getfixturevalue("linux")
