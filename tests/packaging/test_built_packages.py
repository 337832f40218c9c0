"""What ./inv build leaves: packages without lintian's complaints, twice the same, in a tree that verifies."""

import os
import shutil

import pytest
from clean_machine import OURS, TARGETS, flip_a_byte, package_paragraphs, unpacked

from kronos_packaging import factory
from kronos_packaging.build_deb import BuildError, build_debs
from kronos_packaging.declarations import REPO, load_components
from kronos_packaging.plan import Action
from kronos_packaging.repository.apt_suite import pool_folder
from kronos_packaging.repository.errors import SigningKeyError
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import Signer
from kronos_packaging.repository.verify import verify_tree
from kronos_packaging.tree import TreeFile, read_tree
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]


def tree_files():
    (recipe,) = (component.deb for component in load_components() if component.name == "kronos")
    return read_tree(recipe.own_paths)


def test_building_again_does_nothing(dist, capsys):
    before = {path: path.stat().st_mtime_ns for path in (dist / "apt").rglob("*")}
    jobs = factory.build(list(TARGETS), Reporter(), dist=dist, base_url="file:///srv/kronos")
    assert {job.action for job in jobs} == {Action.SKIP}
    assert "nothing to do: the repository is up to date" in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in (dist / "apt").rglob("*")} == before


@pytest.mark.parametrize("target", TARGETS[:1], indirect=True)
def test_two_builds_are_identical(target, tmp_path):
    files = tree_files()
    one, two = (build_debs(files, target, tmp_path / name, Reporter()) for name in ("one", "two"))
    published = [p for p in one if p.suffix in (".deb", ".dsc", ".xz")]
    assert len(published) == 9
    assert [p.name for p in one] == [p.name for p in two]
    differ = [p.name for p in published if p.read_bytes() != (tmp_path / "two" / p.name).read_bytes()]
    assert differ == []


def test_every_module_is_in_one_package(target, dist, tmp_path):
    placed = {}
    for deb in sorted(pool_folder(dist / "apt", target).glob("xapi*.deb")):
        for path in unpacked(deb, tmp_path / deb.stem):
            assert path not in placed, (path, deb.name, placed[path])
            placed[path] = deb.name
    listed = run(["git", "-C", REPO, "ls-files", "xapi_shim", "installer/kronos_installer"]).stdout.split()
    wanted = {f"usr/lib/python3/dist-packages/{name.removeprefix('installer/')}" for name in listed}
    assert wanted <= placed.keys()


def test_every_package_of_ours_is_of_one_version(target, dist):
    packages = [package for package in package_paragraphs(dist, target) if package["Package"] in OURS]
    assert {p["Version"].endswith(target.version_suffix) for p in packages} == {True}
    assert len({p["Version"] for p in packages}) == 1
    assert {p["Architecture"] for p in packages} == {"all"}


def test_key_is_kept_apart(dist, signing_home):
    assert signing_home.stat().st_mode & 0o777 == 0o700
    secret = [p.read_bytes() for p in (signing_home / "private-keys-v1.d").iterdir()]
    assert len(secret) == 1
    assert not any(path.is_file() and path.read_bytes() in secret for path in dist.rglob("*"))
    assert not list(dist.rglob("private-keys*"))


def test_verify_finds_a_flipped_byte_anywhere(dist, tmp_path):
    copy = tmp_path / "dist"
    shutil.copytree(dist, copy)
    problems, right = verify_tree(copy)
    assert problems == []
    published = [p for place in ("apt", "SHA256SUMS", "kronos.sources") for p in files_of(copy / place)]
    assert right >= len(published) > 50
    for path in published:
        if path.stat().st_size:
            flip_a_byte(path)
            assert verify_tree(copy)[0] != [], path
            flip_a_byte(path)
    assert verify_tree(copy) == ([], right)


def files_of(place):
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]


def test_somebody_elses_signature_is_not_published(target, dist, tmp_path):
    copy = tmp_path / "dist"
    shutil.copytree(dist, copy)
    before = {path: path.read_bytes() for path in files_of(copy)}
    builds = [Publication(target, (pool_folder(copy / "apt", target),))]
    with Signer(tmp_path / "other") as somebody_else:
        somebody_else.ensure_key(Reporter())
        with pytest.raises(SigningKeyError, match="none of the keys that hosts trust"):
            publish(builds, somebody_else, copy, Policy(), options=Options(resign=True))
    assert {path: path.read_bytes() for path in files_of(copy)} == before


@pytest.mark.parametrize("target", TARGETS[:1], indirect=True)
def test_a_failed_build_shows_the_end_of_its_log(target, tmp_path):
    rules = b"#!/usr/bin/make -f\n%:\n\techo alas, $@; false\n"
    files = [f for f in tree_files() if f.path != "debian/rules"]
    broken = (*files, TreeFile("debian/rules", rules, executable=True))
    with pytest.raises(
        BuildError, match=r"(?s)building kronos for debian-12 failed, see .*build\.log:.*alas, clean"
    ):
        build_debs(broken, target, tmp_path, Reporter())


def test_repository_can_be_read_by_all(dist):
    for path in (dist / "apt").rglob("*"):
        wanted = 0o755 if path.is_dir() else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path
        assert path.stat().st_uid == os.getuid()
