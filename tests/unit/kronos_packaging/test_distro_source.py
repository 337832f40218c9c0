"""A distro's source: which version is taken, what is changed of it, and how the result sorts."""

import json
from dataclasses import asdict

import pytest
from debian.debian_support import Version

from kronos_packaging import distro_source
from kronos_packaging.change_source import ChangeError, apply_changes, changelog_with_ours, our_version
from kronos_packaging.declarations import (
    Recipe,
    Source,
    components_of,
    declared_targets,
    load_components,
    load_target,
)
from kronos_packaging.distro_source import (
    KNOWN_SOURCES,
    DistroSource,
    SourceFile,
    SourceUnavailableError,
    choose_versions,
    find_source,
    known_source,
    unpack,
)
from xapi_shim.base.apt_sources import Mirror
from xapi_shim.base.process import ProcessError, run
from xapi_shim.base.progress import Reporter

BOOKWORM = load_target("debian-12")
WHO = "Kronos maintainers <maintainers@example.org>"
CHANGELOG = """\
xen (4.17.5-1) bookworm; urgency=medium

  * Theirs.

 -- Debian Xen Team <team@example.org>  Fri, 20 Nov 2026 12:00:00 +0000
"""
RECIPE = Recipe(
    Source.DISTRO, package="xen", revision="3", changes=("Ours.", "More of ours."),
    fragment="ours.config", fragment_place="debian/xen-kconfig", patches=("fix.patch",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("theirs", "next_ones"),
    [
        ("4.17.5-1", ["4.17.5-1+b1", "4.17.5-1+deb12u1", "4.17.5-1.1", "4.17.5-2", "4.17.7-0+deb12u1"]),
        ("4.17.7-0+deb12u1", ["4.17.7-0+deb12u1+b1", "4.17.7-0+deb12u2", "4.17.8-0+deb12u1"]),
        ("4.17.2-1ubuntu3", ["4.17.2-1ubuntu3.1", "4.17.2-1ubuntu4"]),
    ],
)
def test_ours_is_preferred_until_the_distro_has_a_newer_one(theirs, next_ones):
    ours = Version(our_version(theirs, "1"))
    assert Version(theirs) < ours < Version(our_version(theirs, "2"))
    for version in next_ones:
        assert ours < Version(version), version


def test_newest_is_tried_first_and_a_pin_is_the_only_one():
    offered = ["4.17.5-1", "4.17.10-1", "4.17.7-1", "4.17.7-1"]
    assert choose_versions(offered, "") == ["4.17.10-1", "4.17.7-1", "4.17.5-1"]
    assert choose_versions(offered, "4.17.7-1") == ["4.17.7-1"]
    assert choose_versions(offered, "4.17.6-1") == []


def test_changelog_has_our_entry_a_second_after_theirs():
    text = changelog_with_ours(CHANGELOG, RECIPE, BOOKWORM, WHO)
    assert text.startswith(
        "xen (4.17.5-1+0kronos3) bookworm; urgency=medium\n\n  * Ours.\n  * More of ours.\n\n"
        f" -- {WHO}  Fri, 20 Nov 2026 12:00:01 +0000\n\nxen (4.17.5-1) bookworm"
    )


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "ours.config").write_text("CONFIG_OURS=y\n")
    (folder / "fix.patch").write_text("--- a\n")
    return folder


@pytest.fixture
def unpacked(tmp_path):
    debian = tmp_path / "xen/debian"
    (debian / "patches").mkdir(parents=True)
    (debian / "changelog").write_text(CHANGELOG)
    (debian / "xen-kconfig").write_text("CONFIG_THEIRS=y")
    (debian / "patches/series").write_text("theirs.patch\n")
    return tmp_path / "xen"


def test_changes_are_added_to_theirs(repo, unpacked):
    apply_changes(RECIPE, BOOKWORM, unpacked, WHO, repo)
    assert (unpacked / "debian/xen-kconfig").read_text() == "CONFIG_THEIRS=y\nCONFIG_OURS=y\n"
    assert (unpacked / "debian/patches/series").read_text() == "theirs.patch\nkronos/fix.patch\n"
    assert (unpacked / "debian/patches/kronos/fix.patch").read_text() == "--- a\n"
    assert "+0kronos3" in (unpacked / "debian/changelog").read_text()


def test_a_source_that_configures_elsewhere_is_refused(repo, unpacked):
    (unpacked / "debian/xen-kconfig").unlink()
    with pytest.raises(ChangeError, match=r"xen: its source has no debian/xen-kconfig"):
        apply_changes(RECIPE, BOOKWORM, unpacked, WHO, repo)
    assert (unpacked / "debian/changelog").read_text() == CHANGELOG


@pytest.mark.parametrize(
    "line",
    [
        "'http://x/xen.dsc' xen.dsc 12 MD5Sum:abc",
        "'http://x/../../etc/passwd' ../passwd 12 SHA256:abc",
        "'http://x/.bashrc' .bashrc 12 SHA256:abc",
    ],
)
def test_only_plain_names_with_strong_checksums(line):
    with pytest.raises(SourceUnavailableError, match="in a way not understood"):
        distro_source._source_file(line)


def test_this_tree_knows_a_version_of_each_distro_source_that_it_changes():
    mirror = Mirror("http://main/debian/", "http://security/debian-security")
    for target in map(load_target, declared_targets()):
        for component in components_of(target, load_components()):
            recipe = component.recipe(target.format)
            if recipe.source is Source.DISTRO and target.distribution == "debian":
                known = known_source(target, recipe.package, mirror, KNOWN_SOURCES)
                assert known is not None, target.name
                upstream = known.version.rpartition("-")[0]
                assert {file.name.rpartition(".tar.")[0] for file in known.files} == {
                    f"{recipe.package}_{upstream}.orig",
                    f"{recipe.package}_{known.version}.debian",
                }
                assert all(file.uri.startswith("http://main/debian/pool/main/") for file in known.files)


def test_what_a_security_archive_had_is_asked_of_it(tmp_path):
    (tmp_path / "debian-12.sources").write_text(
        "Package: other\nVersion: 1\n\n"
        "Package: hello\nBinary: hello\nVersion: 1.0+1\nArchitecture: any\nFormat: 3.0 (native)\n"
        f"Checksums-Sha256:\n {'a' * 64} 12 hello_1.0+1.tar.xz\nDirectory: pool/updates/main/h/hello\n"
    )
    mirror = Mirror("http://main/debian", "http://security/debian-security")
    known = known_source(BOOKWORM, "hello", mirror, tmp_path)
    place = "http://security/debian-security/pool/updates/main/h/hello/hello_1.0%2B1.tar.xz"
    assert known.files == (SourceFile("hello_1.0+1.tar.xz", place, "a" * 64),)
    assert known_source(BOOKWORM, "goodbye", mirror, tmp_path) is None
    assert known_source(load_target("debian-13"), "hello", mirror, tmp_path) is None


def native_source(tmp_path, monkeypatch):
    """A tiny native source package in the cache, as if apt had fetched it."""
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))
    made = tmp_path / "made/hello-1.0"
    (made / "debian/source").mkdir(parents=True)
    (made / "debian/source/format").write_text("3.0 (native)\n")
    (made / "debian/changelog").write_text(CHANGELOG.replace("xen (4.17.5-1)", "hello (1.0)"))
    run(["tar", "-C", made.parent, "-czf", tmp_path / "hello_1.0.tar.gz", "hello-1.0"])
    sha256 = run(["sha256sum", tmp_path / "hello_1.0.tar.gz"]).stdout.split()[0]
    source = DistroSource(
        "hello", "1.0", (SourceFile("hello_1.0.tar.gz", "http://x", sha256),), {"Format": "3.0 (native)"}
    )
    place = source.path(source.files[0])
    place.parent.mkdir(parents=True)
    (tmp_path / "hello_1.0.tar.gz").rename(place)
    return source


def test_unpacked_by_the_checksums_of_the_index(tmp_path, monkeypatch):
    source = native_source(tmp_path, monkeypatch)
    (tmp_path / "here").mkdir()
    placed = unpack(source, tmp_path / "here")
    assert (placed / "debian/changelog").read_text().startswith("hello (1.0)")
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["hello"]


def test_a_damaged_tarball_is_not_unpacked(tmp_path, monkeypatch):
    source = native_source(tmp_path, monkeypatch)
    place = source.path(source.files[0])
    content = bytearray(place.read_bytes())
    content[20] ^= 1
    place.write_bytes(content)
    (tmp_path / "here").mkdir()
    with pytest.raises(ProcessError, match="sha256"):
        unpack(source, tmp_path / "here")


def test_an_answer_of_today_is_used_again_and_a_pin_asks_anew(tmp_path, monkeypatch):
    source = native_source(tmp_path, monkeypatch)
    memory = tmp_path / "cache/sources/debian-12-hello.json"
    asked = []

    def newest(target, package, pin, reporter, last):
        asked.append(pin)
        return source

    monkeypatch.setattr(distro_source, "_newest", newest)
    assert find_source(BOOKWORM, "hello", Reporter()).version == "1.0"
    assert find_source(BOOKWORM, "hello", Reporter()).version == "1.0"
    assert asked == [""]
    raw = json.loads(memory.read_text())
    memory.write_text(json.dumps(raw | {"found_at_s": raw["found_at_s"] - 25 * 3600}))
    find_source(BOOKWORM, "hello", Reporter())
    find_source(BOOKWORM, "hello", Reporter(), refresh=True)
    memory.write_text("{")
    find_source(BOOKWORM, "hello", Reporter())
    assert asked == [""] * 4
    assert asdict(source)["version"] == "1.0"
