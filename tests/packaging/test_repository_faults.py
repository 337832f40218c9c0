"""Repositories when things go wrong: links in a build's folder, full disks, interruptions, damage, strangers' packages."""


import pytest
from tiny_packages import TinyDist, deb_target, make_deb, make_source

from kronos_packaging.repository import read_deb
from kronos_packaging.repository.errors import DamagedPackageError, RepositoryError

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
