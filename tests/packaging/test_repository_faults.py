"""Repositories when things go wrong: links in a build's folder, full disks, interruptions, damage, strangers' packages."""

import os
import stat
from pathlib import Path

import pytest
from tiny_packages import TinyDist, deb_target, make_deb, make_source

from kronos_packaging.repository import metadata, read_deb, signer
from kronos_packaging.repository.errors import BusyError, DamagedPackageError, RepositoryError
from kronos_packaging.repository.publish import exclusive
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KRONOS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def tiny(tmp_path):
    made = TinyDist(tmp_path, base_url="http://kronos.test")
    with made.signer:
        yield made


@pytest.fixture
def published(tiny):
    make_deb(tiny.built, "alpha", "1.0")
    tiny.publish(deb_target())
    return tiny


@pytest.mark.parametrize("name", ["alpha_1.1_all.deb", "beta_1.0_all.cdx.json", "x.buildinfo"])
def test_a_link_in_a_builds_folder_is_not_published(published, tmp_path, name):
    secret = tmp_path / "secret"
    make_deb(tmp_path / "more", "alpha", "1.1").rename(secret)
    make_deb(published.built, "beta", "1.0")
    make_source(published.built, "beta", "1.0")
    (published.built / name).symlink_to(secret)
    before = published.content()
    with pytest.raises(RepositoryError, match=f"{name}: is no regular file"):
        published.publish(deb_target())
    assert published.content() == before


def test_a_zstd_part_that_unpacks_without_end_is_refused(published, monkeypatch):
    monkeypatch.setattr(read_deb, "DATA_BYTES", 1 << 20)
    tree = published.built.parent / "tree-bomb"
    tree.mkdir()
    (tree / "zeros").write_bytes(bytes(3 << 20))
    make_deb(published.built, "bomb", "1.0", compression="zstd")
    with pytest.raises(DamagedPackageError, match="it unpacks to more than 1048576 bytes"):
        published.publish(deb_target())


def test_all_is_on_the_disk_before_anything_names_it(tiny, monkeypatch):
    make_deb(tiny.built, "alpha", "1.0")
    suite, pool = tiny.dist / "apt/dists/bookworm", tiny.dist / "apt/pool/bookworm"
    synced, before = set(), set()
    real = os.fsync

    def recording(fd):
        real(fd)
        synced.add(os.fstat(fd).st_ino)
        if not suite.exists():
            before.add(os.fstat(fd).st_ino)

    monkeypatch.setattr(os, "fsync", recording)
    tiny.publish(deb_target())
    names = [path for folder in (suite, pool) for path in (folder, *folder.rglob("*"))]
    assert [path for path in names if path.stat().st_ino not in before] == []
    folders = [tiny.dist, tiny.dist / "apt", pool.parent, suite.parent]
    assert [path for path in folders if path.stat().st_ino not in synced] == []
    assert [path for path in tiny.dist.iterdir() if path.is_file() and path.stat().st_ino not in synced] == []


def test_an_interruption_leaves_nothing_in_the_pool(published, monkeypatch):
    make_deb(published.built, "alpha", "1.1")
    make_deb(published.built, "beta", "1.0")
    before = published.content()
    real = Path.rename

    def interrupted(self, target):
        done = real(self, target)
        if "pool" in done.parts:
            raise KeyboardInterrupt
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            published.publish(deb_target())
    assert published.content() == before
    published.publish(deb_target())
    assert verify_tree(published.dist)[0] == []


def test_only_the_lock_makes_a_dist_folder_busy(tmp_path):
    with pytest.raises(BlockingIOError), exclusive(tmp_path):
        raise BlockingIOError
    with exclusive(tmp_path), pytest.raises(BusyError), exclusive(tmp_path):
        pass


def test_a_link_in_the_place_of_the_scratch_folder_goes(published, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("kept")
    (published.dist / ".publishing").symlink_to(elsewhere)
    make_deb(published.built, "alpha", "1.1")
    published.publish(deb_target())
    assert verify_tree(published.dist)[0] == []
    assert (elsewhere / "file").read_text() == "kept"
    assert not (published.dist / ".publishing").is_symlink()


def test_a_file_in_the_place_of_the_dist_folder_is_told_in_a_sentence(tiny):
    tiny.dist.write_text("")
    with pytest.raises(RepositoryError, match="cannot publish: File exists"):
        tiny.publish(deb_target())


@pytest.fixture
def small_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place])
    try:
        yield place
    finally:
        run(["umount", place])


def test_a_full_disk_changes_nothing_wherever_it_strikes(tiny, small_disk):
    tiny.dist = small_disk / "dist"
    make_deb(tiny.built, "alpha", "1.0")
    tiny.publish(deb_target("debian-12"))
    before = tiny.content()
    ballast = small_disk / "ballast"
    told = []
    # A release of another name: its page and its apt source change as well.
    for free_kib in range(0, 400, 8):
        fill(ballast, free_kib << 10)
        try:
            tiny.publish(deb_target("debian-13"))
            break
        except KronosError as error:
            told.append(str(error))
            assert tiny.content() == before
            assert not (tiny.dist / ".publishing").exists()
    assert len(told) > 5
    assert all("No space left" in text for text in told)
    assert verify_tree(tiny.dist)[0] == []
    assert (tiny.dist / "kronos-debian-13.sources").is_file()


def fill(ballast, free_bytes):
    ballast.unlink(missing_ok=True)
    free = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        file.write(bytes(free.f_bavail * free.f_bsize - free_bytes))


def test_a_file_system_that_cannot_exchange_gets_the_files_one_by_one(published, monkeypatch):
    monkeypatch.setattr(metadata, "_exchanged", lambda *_: False)
    suite = published.dist / "apt/dists/bookworm"
    (suite / "left/over").mkdir(parents=True)
    (suite / "left/over/file").write_text("")
    make_deb(published.built, "alpha", "1.1")
    published.publish(deb_target())
    assert verify_tree(published.dist)[0] == []
    assert not (suite / "left").exists()


def test_a_folder_that_may_not_be_exchanged_stays_as_it_is(published):
    suite = published.dist / "apt/dists/bookworm"
    make_deb(published.built, "alpha", "1.1")
    before = {path: path.read_bytes() for path in suite.rglob("*") if path.is_file()}
    # Append only (ioctl_iflags(2)): new files may come, the folder itself must keep its name.
    if run(["chattr", "+a", suite], check=False).returncode != 0:
        pytest.skip("the file system of tmp_path has no such attribute")
    try:
        with pytest.raises(RepositoryError, match="cannot publish: Operation not permitted"):
            published.publish(deb_target())
        assert {path: path.read_bytes() for path in suite.rglob("*") if path.is_file()} == before
    finally:
        run(["chattr", "-a", suite])
    published.publish(deb_target())
    assert verify_tree(published.dist)[0] == []


def test_the_secret_of_a_retired_key_never_passes_through_a_programs_output(tiny, monkeypatch):
    told = []

    def recording(argv, **options):
        done = run(argv, **options)
        told.append(done.stdout + done.stderr)
        return done

    monkeypatch.setattr(signer, "run", recording)
    (key,) = tiny.signer.all_keys()
    place = tiny.signer.retire(key)
    assert "PRIVATE KEY" in place.read_text()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [path.name for path in place.parent.iterdir()] == [place.name]
    assert told
    assert not any("PRIVATE KEY" in text for text in told)
    assert tiny.signer.all_keys() == ()
