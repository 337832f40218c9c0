"""System packages: who installs them is alone with apt."""

import os

import pytest

from xapi_shim.base import system_packages
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

PROGRAMS = {
    # apt fails where it finds nobody holding the lock, as it fails where another apt is at work.
    "apt-get": """\
if flock --nonblock "$LISTS" true; then echo "nobody holds $LISTS"; exit 100; fi
echo "$@" >>"$LISTS/said"
""",
    "dpkg-query": """\
if [ -e "$LISTS/asked" ] && [ -e "$LISTS/by-another" ]; then echo "installed tiny"; fi
: >"$LISTS/asked"
""",
    "sudo": 'shift\nexec "$@"\n',
}


@pytest.fixture
def lists(tmp_path, monkeypatch):
    programs, lists = tmp_path / "bin", tmp_path / "lists"
    programs.mkdir()
    lists.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\nLISTS={lists}\n{text}")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(system_packages, "APT_LISTS", lists)
    return lists


def test_who_installs_is_alone(lists):
    ensure_packages(["tiny"], reporter=Reporter())
    update, install = (lists / "said").read_text().splitlines()
    assert update.startswith("update ")
    assert install.startswith("install ")
    assert install.endswith(" tiny")


def test_what_another_has_installed_meanwhile_is_not_installed_again(lists):
    (lists / "by-another").touch()
    ensure_packages(["tiny"], reporter=Reporter())
    assert not (lists / "said").exists()
