"""NFS servers for tests: simulated ones, and a mount.nfs that mounts for real what stands in for an export.

This stand-in has mount.nfs(8)'s arguments and the kernel's mounts; it mounts an overlay whose source
is called `server:/path`, as an NFS mount's is in /proc/self/mountinfo.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xapi_shim.storage.linux_mounts import LinuxMounts
from xapi_shim.storage.simulated_mounts import SimulatedMounts

MOUNT_NFS = """#!/bin/sh
echo "$@" >> {log}
[ "$3" = -o ] || exit 1
served={servers}/$(echo "$1" | sed 's|:/|/|')
if [ -e {servers}/dead ]; then exec sleep 1000; fi
if ! [ -d "$served" ]; then
  echo "mount.nfs: mounting $1 failed, reason given by server: No such file or directory" >&2
  exit 32
fi
work=$(mktemp -d {scratch}/XXXXXX)
mkdir "$work/lower" "$work/work"
exec mount -t overlay "$1" "$2" -o "lowerdir=$work/lower,upperdir=$served,workdir=$work/work"
"""
SHOWMOUNT = """#!/bin/sh
echo "$@" >> {log}
if ! [ -d {servers}/"$3" ]; then
  echo "clnt_create: RPC: Unknown host" >&2
  exit 1
fi
for each in {servers}/"$3"/*/; do
  echo "/$(basename "$each") (everyone)"
done
"""


class Served:
    """Mounts, and the directory of the servers that they find."""

    def __init__(self, mounts, servers, log=None):
        self.mounts, self.servers, self.log = mounts, servers, log

    def export(self, server, path):
        folder = self.servers / server / path.strip("/")
        folder.mkdir(parents=True)
        return folder


def simulated(tmp_path, monkeypatch):
    (tmp_path / "servers").mkdir()
    yield Served(SimulatedMounts(tmp_path / "servers"), tmp_path / "servers")


def overlays(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    for name in ("servers", "scratch", "bin"):
        (tmp_path / name).mkdir()
    log = tmp_path / "log"
    for program, text in (("mount.nfs", MOUNT_NFS), ("showmount", SHOWMOUNT)):
        script = tmp_path / "bin" / program
        script.write_text(text.format(servers=tmp_path / "servers", scratch=tmp_path / "scratch", log=log))
        script.chmod(0o755)
    check_overlay(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    yield Served(LinuxMounts(), tmp_path / "servers", log)
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        place = line.split(" ")[4]
        if place.startswith(f"{tmp_path}/"):
            subprocess.run(["umount", place], check=True)


def check_overlay(tmp_path):
    """Skip where no overlay may be mounted."""
    probe = tmp_path / "probe"
    for name in ("lower", "upper", "work", "at"):
        (probe / name).mkdir(parents=True)
    options = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
    mount = ["mount", "-t", "overlay", "probe", str(probe / "at"), "-o", options]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no overlay may be mounted here")
    subprocess.run(["umount", str(probe / "at")], check=True)
    shutil.rmtree(probe)


KINDS = [simulated, overlays]
