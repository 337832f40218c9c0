"""What is built and why: keys, plans, changelogs, roots; all without building anything."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from debian.debian_support import Version
from hypothesis import given
from hypothesis import strategies as st

from kronos_packaging.build_deb import build_packages, changelog_date, prepare_source, target_changelog
from kronos_packaging.build_root import Root, mmdebstrap_argv, prune_cache
from kronos_packaging.declarations import (
    REPO,
    Component,
    DeclarationError,
    Recipe,
    Source,
    declared_targets,
    load_components,
    load_target,
)
from kronos_packaging.distro_source import DistroSource
from kronos_packaging.factory import target_names
from kronos_packaging.inputs import Ingredients, Inputs, TargetInputs, as_json, plan_targets, read_published
from kronos_packaging.plan import Action, content_key, plan_build
from kronos_packaging.tree import TreeFile, read_tree, write_tree
from xapi_shim.base.process import run

BOOKWORM, TRIXIE = load_target("debian-12"), load_target("debian-13")
RECIPE = Recipe(Source.TREE, paths=("debian",))
OURS = Component("kronos", deb=RECIPE)
XEN = Component("xen", deb=RECIPE)
FILES = (TreeFile("a", b"1"), TreeFile("b", b"2", executable=True))
CHANGELOG = """\
kronos (0.1.0) unstable; urgency=medium

  * First.

 -- Kronos maintainers <maintainers@example.org>  Fri, 20 Nov 2026 12:00:00 +0000
"""


def test_key_depends_on_everything_that_goes_in():
    key = content_key(FILES, BOOKWORM, "1")
    others = [
        content_key(FILES[:1], BOOKWORM, "1"),
        content_key((TreeFile("a", b"1"), TreeFile("b", b"2")), BOOKWORM, "1"),
        content_key((TreeFile("a", b"1"), TreeFile("b", b"3", executable=True)), BOOKWORM, "1"),
        content_key((TreeFile("a", b"1"), TreeFile("c", b"2", executable=True)), BOOKWORM, "1"),
        content_key(FILES, TRIXIE, "1"),
        content_key(FILES, BOOKWORM, "2"),
        content_key(FILES, BOOKWORM, "1", "another tarball"),
        content_key(FILES, replace(BOOKWORM, pins={"xen": "4.17"}), "1"),
    ]
    assert len({key, *others}) == 1 + len(others)


def test_key_does_not_depend_on_the_order_of_files():
    assert content_key(FILES, BOOKWORM, "1") == content_key(FILES[::-1], BOOKWORM, "1")


@given(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=3)), unique_by=lambda f: f[0], max_size=4))
def test_key_does_not_confuse_names_with_content(pairs):
    files = [TreeFile(path, content) for path, content in pairs]
    merged = [TreeFile("".join(f.path for f in files), b"".join(f.content for f in files))]
    same = sorted((f.path, f.content) for f in files) == [(merged[0].path, merged[0].content)]
    assert (content_key(files, BOOKWORM, "1") == content_key(merged, BOOKWORM, "1")) == same


@pytest.mark.parametrize(
    ("published", "action", "reason"),
    [
        ({}, Action.BUILD, "not in the repository yet"),
        ({"kronos": "old"}, Action.BUILD, "its sources changed"),
        ({"kronos": "new"}, Action.SKIP, "nothing has changed"),
    ],
)
def test_plan_says_what_and_why(published, action, reason):
    ours, xen = plan_build(
        [OURS, XEN], BOOKWORM, {"kronos": "new", "xen": "same"}, {"xen": "same"} | published
    )
    assert (ours.action, ours.reason, ours.key) == (action, reason, "new")
    assert (xen.action, xen.reason) == (Action.SKIP, "nothing has changed")


def test_what_others_need_comes_first():
    needing = Component("a", needs=("b", "c"), deb=RECIPE), Component("b", needs=("c",), deb=RECIPE)
    last = Component("c", deb=RECIPE)
    jobs = plan_build([*needing, last], BOOKWORM, {"a": "1", "b": "2", "c": "3"}, {})
    assert [job.component for job in jobs] == ["c", "b", "a"]
    assert jobs[-1].needs == ("b", "c")


def test_components_that_need_each_other():
    circle = Component("a", needs=("b",), deb=RECIPE), Component("b", needs=("a",), deb=RECIPE)
    with pytest.raises(DeclarationError, match=r"need each other in a circle: [ab] needs"):
        plan_build(circle, BOOKWORM, {"a": "1", "b": "2"}, {})


def inputs_of(target, unavailable=""):
    return TargetInputs(target, (OURS,), {"kronos": Ingredients(RECIPE, FILES)}, unavailable)


def test_plan_of_an_empty_dist_builds_this_tree_for_each_target():
    jobs = plan_targets(Inputs((inputs_of(BOOKWORM), inputs_of(TRIXIE)), {}))
    wanted = [(job.target, job.component) for job in jobs if job.action is Action.BUILD]
    assert wanted == [("debian-12", "kronos"), ("debian-13", "kronos")]
    assert '"reason": "not in the repository yet"' in as_json(jobs)


def test_what_this_machine_cannot_build_is_named_and_left():
    (job,) = plan_targets(Inputs((inputs_of(BOOKWORM, "cannot be built here: no archive"),), {}))
    assert (job.action, job.reason) == (Action.UNAVAILABLE, "cannot be built here: no archive")


def test_another_tarball_is_another_key():
    recipe = Recipe(Source.DISTRO, package="xen", revision="1", changes=("C.",))
    found = [DistroSource("xen", version, (), {}) for version in ("4.17.5-1", "4.17.7-1")]
    keys = {
        TargetInputs(BOOKWORM, (XEN,), {"xen": Ingredients(r, FILES, f)}).key("xen")
        for f in found
        for r in (recipe, replace(recipe, revision="2"))
    }
    assert len(keys) == 4


def test_damaged_state_means_nothing_is_published(tmp_path):
    (tmp_path / "apt").mkdir()
    (tmp_path / "kronos-archive-keyring.pgp").touch()
    (tmp_path / "built.json").write_text("{")
    assert read_published(tmp_path) == {}


def test_target_names():
    assert target_names("debian-12, debian-13") == ["debian-12", "debian-13"]
    assert target_names("all") == declared_targets()


def test_changelog_is_the_targets_and_keeps_its_date():
    text = target_changelog(CHANGELOG, BOOKWORM)
    assert text.startswith("kronos (0.1.0+deb12) bookworm; urgency=medium")
    assert changelog_date(text) == changelog_date(CHANGELOG) == 1795176000


def test_an_upgrade_of_the_distribution_upgrades_us():
    versions = [f"0.1.0{extra}{t.version_suffix}" for t in (BOOKWORM, TRIXIE) for extra in ("~old", "")]
    old, new, _, next_release = map(Version, versions)
    assert old < Version("0.1.0") < new < next_release < Version("0.1.1+deb12")


def test_only_the_changelog_differs_from_the_tree():
    files = (TreeFile("debian/changelog", CHANGELOG.encode()), *FILES)
    prepared = prepare_source(files, TRIXIE)
    assert prepared[1:] == files[1:]
    assert b"(0.1.0+deb13) trixie;" in prepared[0].content


def test_build_root_holds_what_control_declares():
    control = (
        "Source: x\nBuild-Depends: debhelper-compat (= 13), dh-python | other,\n python3-all\n\nPackage: y\n"
    )
    assert build_packages(control) == (
        "build-essential", "debhelper-compat", "dh-python", "fakeroot", "python3-all",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ("bcc [amd64], gcc-multilib [i386]", ["bcc"]),
        ("libfdt-dev [armhf arm64], libx [!amd64], liby [!arm64]", ["liby"]),
        ("python3-dev:any, a <!nocheck>, b <stage1>, c [linux-any]", ["a", "c", "python3-dev"]),
        ("pandoc,\n ocaml,", ["ocaml", "pandoc"]),
        ("bad [i386] | good", ["good"]),
    ],
)
def test_build_root_holds_what_this_architecture_needs(declared, wanted):
    packages = build_packages(f"Source: x\nBuild-Depends: {declared}\nBuild-Depends-Indep: indep\n")
    assert packages == tuple(sorted(["build-essential", "fakeroot", "indep", *wanted]))


def test_root_is_the_targets(tmp_path):
    argv = mmdebstrap_argv(TRIXIE, ("a", "b"), tmp_path / "root.tar")
    assert argv[0] == "mmdebstrap"
    assert "--include=a,b" in argv
    assert argv[-2:] == ["trixie", str(tmp_path / "root.tar")]


@pytest.mark.parametrize("network", [True, False])
def test_programs_in_a_root_see_nothing_of_the_machine(network):
    argv = Root(Path("/r")).run_argv(["true", "x y"], network=network, env={"A": "b"}, cwd="/c")
    assert argv[-2:] == ["true", "x y"]
    assert ("--net" in argv) is not network
    environment = argv[argv.index("env") :]
    assert environment[1:3] == ["--ignore-environment", "--chdir=/c"]
    assert "A=b" in environment


def test_cache_keeps_what_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path))
    for age_s, name in ((100, "new"), (1000, "old")):
        root, package = tmp_path / f"roots/{name}.tar", tmp_path / f"packages/debian-12/{name}"
        root.parent.mkdir(exist_ok=True)
        package.mkdir(parents=True)
        root.touch()
        for path in (root, package):
            os.utime(path, (10_000 - age_s, 10_000 - age_s))
    removed = prune_cache(10_000, unused_s=500)
    assert [path.name for path in removed] == ["old", "old.tar"]
    assert {p.name for p in tmp_path.glob("*/*")} == {"new.tar", "debian-12"}
    assert [p.name for p in (tmp_path / "packages/debian-12").iterdir()] == ["new"]


def test_tree_is_what_git_tracks_and_does_not_ignore(tmp_path):
    run(["git", "init", "--quiet", tmp_path])
    for name in ("in/tracked", "in/deleted", "in/new", "in/ignored", "out/other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".gitignore").write_text("ignored\n")
    run(["git", "-C", tmp_path, "add", "in/tracked", "in/deleted"])
    (tmp_path / "in/deleted").unlink()
    files = read_tree(["in"], tmp_path)
    assert [file.path for file in files] == ["in/new", "in/tracked"]
    assert files[0].content == b"in/new"


def test_written_tree_does_not_depend_on_the_checkout(tmp_path):
    write_tree((TreeFile("a/b", b"x"), TreeFile("a/c", b"y", executable=True)), tmp_path, 1_000_000)
    made = {p.name: (oct(p.stat().st_mode & 0o777), p.stat().st_mtime) for p in (tmp_path / "a").iterdir()}
    assert made == {"b": ("0o644", 1_000_000), "c": ("0o755", 1_000_000)}


def test_this_tree_declares_what_its_packages_install():
    (recipe,) = (component.deb for component in load_components() if component.name == "kronos")
    paths = {file.path for file in read_tree(recipe.own_paths)}
    for install in (REPO / "debian").glob("*.install"):
        for line in install.read_text().splitlines():
            source = line.split()[0]
            assert any(path == source or path.startswith(source + "/") for path in paths), line
