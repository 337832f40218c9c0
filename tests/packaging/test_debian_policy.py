"""The Debian packages as Debian's own tools see them, and what they may not do to a host."""

import re
import stat
import tarfile

import pytest
from clean_machine import OURS
from debian.deb822 import Deb822
from debian.debfile import DebFile

from kronos_packaging.build_deb import build_packages, prepare_source
from kronos_packaging.build_root import clean_root, ensure_root_tar
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

# What lintian says in one of the two releases only, and what cannot be overridden in both: an override
# of a tag that is not given is a complaint itself.
SAID_IN_ONE_RELEASE = {
    # The daemon needs systemd: guests' programs are in scopes of their own, to outlive it; so does the set-up's
    # dead-man switch. Debian 13's lintian no longer has the tag.
    "debian-12": [
        "I: xapi-host-setup: package-supports-alternative-init-but-no-init.d-script",
        "I: xapi-toolstack: package-supports-alternative-init-but-no-init.d-script",
    ],
    # The packages follow the policy of the oldest release, whose lintian warns of a newer one.
    "debian-13": ["I: kronos source: out-of-date-standards-version 4.6.2"],
}
# Of 100; the unit says why each thing that is left is left.
EXPOSURE_AT_MOST = 57


def test_lintian_has_nothing_to_say(target, built):
    checked = [p for p in built.iterdir() if p.suffix in (".deb", ".dsc", ".changes")]
    assert len(checked) == len(OURS) + 2
    with clean_root(ensure_root_tar(target, ("lintian",), Reporter())) as root:
        for path in built.iterdir():
            root.copy_in(path, f"/packages/{path.name}")
        shown = ["--pedantic", "--display-info", "--display-experimental", "--tag-display-limit=0"]
        argv = ["lintian", "--allow-root", "--no-cfg", "--fail-on=error,warning", *shown]
        done = root.run([*argv, *(f"/packages/{path.name}" for path in checked)], check=False)
    said = {re.split(r" \[| \(", line)[0] for line in done.stdout.splitlines()}
    assert (done.returncode, sorted(said)) == (0, SAID_IN_ONE_RELEASE[target.name]), done


def test_the_published_source_builds_the_published_packages(target, built, kronos):
    """As a build service does it: dpkg-source -x, then dpkg-buildpackage with what is declared."""
    (dsc,) = built.glob("*.dsc")
    control = next(file.content.decode() for file in kronos if file.path == "debian/control")
    with clean_root(ensure_root_tar(target, build_packages(control), Reporter())) as root:
        for path in (dsc, *built.glob("*.tar.*")):
            root.copy_in(path, f"/elsewhere/{path.name}")
        root.run(["dpkg-source", "--extract", dsc.name, "tree"], cwd="/elsewhere")
        argv = ["dpkg-buildpackage", "--build=binary", "--no-sign"]
        root.run([*argv], cwd="/elsewhere/tree", env={"DEB_BUILD_OPTIONS": "noautodbgsym"})
        again = {path.name: path.read_bytes() for path in (root.path / "elsewhere").glob("*.deb")}
    assert again == {path.name: path.read_bytes() for path in built.glob("*.deb")}
    assert len(again) == len(OURS)


def test_the_source_package_is_one_that_build_services_take(target, built, kronos):
    (dsc,), (changes,) = built.glob("*.dsc"), built.glob("*.changes")
    source = Deb822(
        dsc.read_text().split("\n\n", 1)[-1] if "BEGIN PGP" in dsc.read_text() else dsc.read_text()
    )
    assert source["Format"] == "3.0 (native)"
    assert "-" not in source["Version"]
    assert source["Testsuite"] == "autopkgtest"
    assert Deb822(changes.read_text())["Distribution"] == target.suite
    (tar,) = built.glob("*.tar.xz")
    with tarfile.open(tar) as archive:
        held = {m.name.partition("/")[2] for m in archive.getmembers() if not m.isdir()}
    assert held == {file.path for file in prepare_source(kronos, target)}


def test_nothing_is_open_to_everybody_or_setuid(built):
    for path in built.glob("*.deb"):
        for member in DebFile(path).data.tgz():
            mode = member.mode
            assert (member.uid, member.gid) == (0, 0), member.name
            assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX), member.name
            assert member.issym() or not mode & stat.S_IWOTH, member.name


def test_programs_take_no_module_from_elsewhere(built):
    programs = {}
    for path in built.glob("*.deb"):
        data = DebFile(path).data
        for name in data:
            if re.fullmatch(r"\.?/?usr/s?bin/.+", str(name)):
                programs[str(name).rpartition("/")[2]] = data.get_content(name).splitlines()[0].decode()
    python, shell = "#!/usr/bin/python3 -I", "#!/bin/sh"
    assert programs == {
        "xapi": python, "xapi-host-setup": python, "xapi-wait-init-complete": shell, "xe": python,
    }  # fmt: skip


def test_the_daemon_is_exposed_no_more_than_it_must_be(machine):
    machine.apt("update")
    machine.apt("install", "xapi-toolstack")
    argv = ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_AT_MOST}", "xapi.service"]
    done = machine.run(*argv, check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]
