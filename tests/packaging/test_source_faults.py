"""A distro's archive that lies, is damaged, or lacks what it names: the source is refused, or an older one taken.

The archive is made by dpkg-source and apt-ftparchive, signed by gpg, served over HTTP, and asked by the real apt.
"""

import functools
import http.server
import io
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from clean_machine import flip_a_byte
from serving import serving
from tiny_sources import tiny_source

from kronos_packaging import distro_source
from kronos_packaging.declarations import Format, Target
from kronos_packaging.distro_source import SourceUnavailableError, find_source, unpack
from kronos_packaging.tree import write_tree
from xapi_shim.base.apt_sources import read_mirror
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = pytest.mark.packaging

SUITE = "tiny"
DAY_S = 24 * 3600


class Keys:
    """A gpg home of the test's; `keyring` has the public keys that are trusted."""

    def __init__(self, folder):
        self.home, self.keyring = folder / "home", folder / "trusted.gpg"
        self.home.mkdir(mode=0o700, parents=True)

    def gpg(self, *words, when_s=None):
        then = [] if when_s is None else [f"--faked-system-time={int(when_s)}"]
        options = ["--homedir", self.home, "--batch", "--yes", "--pinentry-mode=loopback", "--passphrase="]
        return run(["gpg", *options, *then, *words])

    def make(self, name, expires="never", when_s=None):
        self.gpg("--quick-generate-key", name, "ed25519", "sign", expires, when_s=when_s)

    def trust(self, name):
        self.gpg("--output", self.keyring, "--export", name)

    def stop(self):
        run(["gpgconf", "--homedir", self.home, "--kill", "all"])


class Archive:
    """A Debian archive with sources of one package; `url` is where it is served."""

    def __init__(self, folder, keys, url):
        self.path, self.keys, self.url = folder, keys, url
        self.suite = folder / f"dists/{SUITE}"
        self.signed_s = int(time.time()) - DAY_S

    def add(self, version):
        """Put the source tiny of `version` into the pool."""
        pool = self.path / "pool"
        pool.mkdir(parents=True, exist_ok=True)
        tree = self.path.parent / f"tiny-{version}"
        write_tree(tiny_source("tiny", version=version), tree, 0)
        run(["dpkg-source", "--build", tree], cwd=pool)

    def replace(self, old, new):
        """Have `new` in place of `old`, whose tarball stays in the pool for a while; the new one's is missing."""
        self.add(new)
        (self.path / f"pool/tiny_{old}.dsc").unlink()
        self.index()
        self.sign()
        (self.path / f"pool/tiny_{new}.tar.xz").unlink()

    def index(self):
        """Write the index of sources and Release of each suite that a target has."""
        for suite in (SUITE, f"{SUITE}-updates"):
            folder = self.path / f"dists/{suite}"
            sources = folder / "main/source/Sources"
            sources.parent.mkdir(parents=True, exist_ok=True)
            wanted = "pool" if suite == SUITE else "dists"
            sources.write_text(run(["apt-ftparchive", "sources", wanted], cwd=self.path).stdout)
            given = {"Suite": suite, "Codename": suite, "Architectures": "amd64", "Components": "main"}
            options = [f"--option=APT::FTPArchive::Release::{key}={value}" for key, value in given.items()]
            (folder / "Release").write_text(run(["apt-ftparchive", *options, "release", folder]).stdout)

    def sign(self, name="good", when_s=None, expires=""):
        until = [f"--default-sig-expire={expires}"] if expires else []
        for release in self.path.glob("dists/*/Release"):
            signed = release.with_name("InRelease")
            self.keys.gpg(
                *until, "--local-user", name, "--output", signed, "--clear-sign", release, when_s=when_s
            )
            # HTTP tells of changes by the second.
            self.signed_s += 60
            os.utime(signed, (self.signed_s, self.signed_s))


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def keys(tmp_path):
    keys = Keys(tmp_path / "keys")
    keys.make("good")
    keys.trust("good")
    yield keys
    keys.stop()


@pytest.fixture
def archive(tmp_path, keys, monkeypatch):
    """An archive with a good signature and version 1, and this machine's apt sources as if they named it."""
    ensure_packages(["apt-utils", "dpkg-dev", "gnupg"], reporter=Reporter())
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served/debian"
    handler = functools.partial(Quiet, directory=str(folder.parent))
    with serving(handler) as url:
        archive = Archive(folder, keys, f"{url}/debian")
        archive.add("1")
        archive.index()
        archive.sign()
        (tmp_path / "root/etc/apt").mkdir(parents=True)
        (tmp_path / "root/etc/apt/sources.list").write_text(f"deb {archive.url} {SUITE} main\n")
        ours = functools.partial(read_mirror, tmp_path / "root")
        monkeypatch.setattr(distro_source, "read_mirror", ours)
        yield archive


@pytest.fixture
def work(tmp_path):
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def find(keys, pin="", **given):
    """Ask as the factory does; return the source and what was said."""
    pins = {"tiny": pin} if pin else {}
    target = Target(
        "tiny-1",
        "debian",
        "1",
        SUITE,
        Format.DEB,
        "amd64",
        "",
        "3.11",
        (),
        str(keys.keyring),
        "apt",
        pins=pins,
    )
    said = io.StringIO()
    return find_source(target, "tiny", Reporter(said), **given), said.getvalue()


def refused(keys, tmp_path, kind=KronosError, **given):
    """Return the sentence of the refusal; nothing of the source may be there."""
    with pytest.raises(kind) as error:
        find(keys, **given)
    assert list((tmp_path / "cache/sources").iterdir()) == []
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_source_with_a_good_signature_is_found_and_unpacked(archive, keys, work):
    source, _ = find(keys)
    assert (source.version, source.passed_over) == ("1", ())
    assert [file.name for file in source.files] == ["tiny_1.tar.xz"]
    assert unpack(source, work).joinpath("debian/changelog").read_text().startswith("tiny (1)")


def test_a_key_that_is_not_trusted(archive, keys, tmp_path):
    keys.make("stranger")
    archive.sign("stranger")
    assert "NO_PUBKEY" in refused(keys, tmp_path)


def test_no_signature(archive, keys, tmp_path):
    for path in archive.path.glob("dists/*/InRelease"):
        path.unlink()
    assert "not signed" in refused(keys, tmp_path)


def test_a_key_that_has_expired(archive, keys, tmp_path):
    keys.make("old", "1d", when_s=time.time() - 10 * DAY_S)
    keys.trust("old")
    archive.sign("old", when_s=time.time() - 9.5 * DAY_S)
    assert "EXPKEYSIG" in refused(keys, tmp_path)


def test_a_signature_that_has_expired(archive, keys, tmp_path):
    keys.make("early", when_s=time.time() - 10 * DAY_S)
    keys.trust("early")
    archive.sign("early", when_s=time.time() - 9 * DAY_S, expires="1d")
    assert "EXPSIG" in refused(keys, tmp_path)


def test_a_release_changed_after_it_was_signed(archive, keys, tmp_path):
    signed = archive.suite / "InRelease"
    signed.write_text(signed.read_text().replace("Components: main", "Components: mean"))
    assert "BADSIG" in refused(keys, tmp_path)


def test_an_index_that_is_not_the_signed_one(archive, keys, tmp_path):
    flip_a_byte(archive.suite / "main/source/Sources")
    assert "Hash Sum mismatch" in refused(keys, tmp_path)


def test_a_source_that_is_not_there(archive, keys, tmp_path):
    (archive.path / "pool/tiny_1.dsc").unlink()
    archive.index()
    archive.sign()
    assert refused(keys, tmp_path, SourceUnavailableError).startswith(
        "tiny-1: the archive has no source tiny "
    )


@pytest.mark.parametrize("fault", [Path.unlink, flip_a_byte])
def test_of_a_version_whose_files_are_not_right_the_one_before_is_taken(archive, keys, work, fault):
    archive.add("2")
    archive.index()
    archive.sign()
    fault(archive.path / "pool/tiny_2.tar.xz")
    source, said = find(keys)
    assert (source.version, source.passed_over) == ("1", ("2",))
    assert "tiny-1: the archive names tiny 2 but does not have all its files: building 1" in said
    assert unpack(source, work).joinpath("debian/changelog").read_text().startswith("tiny (1)")


@pytest.mark.parametrize("fault", [Path.unlink, flip_a_byte])
def test_when_no_version_has_its_files_nothing_is_taken(archive, keys, tmp_path, fault):
    fault(archive.path / "pool/tiny_1.tar.xz")
    said = refused(keys, tmp_path, SourceUnavailableError)
    assert said.startswith("tiny-1: the archive names source tiny 1 and has not all files of any")


@pytest.fixture
def known(archive, tmp_path, monkeypatch):
    """The tree's checksums: those of the archive's index as it is now."""
    monkeypatch.setattr(distro_source, "KNOWN_SOURCES", tmp_path / "known")
    (tmp_path / "known").mkdir()
    place = tmp_path / "known/tiny-1.sources"
    place.write_text((archive.suite / "main/source/Sources").read_text())
    return place


def test_where_the_archive_names_none_that_it_has_the_known_one_is_taken(archive, keys, known, work):
    archive.replace("1", "2")
    source, said = find(keys)
    assert (source.version, source.passed_over) == ("1", ("2",))
    assert "tiny-1: the archive names tiny 2 but does not have all its files: building 1" in said
    assert unpack(source, work).joinpath("debian/changelog").read_text().startswith("tiny (1)")


def test_the_known_one_is_taken_by_its_checksum(archive, keys, known, tmp_path):
    archive.replace("1", "2")
    flip_a_byte(archive.path / "pool/tiny_1.tar.xz")
    said = refused(keys, tmp_path, SourceUnavailableError)
    assert said.startswith("tiny-1: the archive names source tiny 2 and has not all files of any")


def test_a_pin_is_not_answered_with_another_version(archive, keys, known, tmp_path):
    archive.replace("1", "2")
    assert "names source tiny 2 and" in refused(keys, tmp_path, SourceUnavailableError, pin="2")
    assert "no source tiny 1" in refused(keys, tmp_path, SourceUnavailableError, pin="1")


def test_what_was_found_last_goes_before_what_the_tree_knows(archive, keys, known, work):
    archive.add("1.5")
    archive.index()
    archive.sign()
    assert find(keys)[0].version == "1.5"
    archive.path.joinpath("pool/tiny_1.dsc").unlink()
    archive.replace("1.5", "2")
    source, _ = find(keys, refresh=True)
    assert (source.version, source.passed_over) == ("1.5", ("2",))
    assert find(keys, refresh=True)[0] == replace(source, found_at_s=find(keys)[0].found_at_s)


def test_an_archive_that_turns_bad_does_not_take_away_what_was_found(archive, keys, tmp_path):
    found, _ = find(keys)
    archive.add("2")
    archive.index()
    keys.make("stranger")
    archive.sign("stranger")
    assert find(keys)[0] == found
    with pytest.raises(KronosError, match="NO_PUBKEY"):
        find(keys, refresh=True)
    assert find(keys)[0] == found
    archive.sign()
    assert find(keys, refresh=True)[0].version == "2"
