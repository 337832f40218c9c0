"""What every Mounts does, held against the simulated one and against Linux with a stand-in for mount.nfs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage_servers import KINDS, overlays

from xapi_shim.storage.interface import MountError, SrConfigError
from xapi_shim.storage.linux_mounts import mounted_in, read_exports
from xapi_shim.storage.mounts import Export, NfsSource, checked_path, checked_server


@pytest.fixture(params=KINDS)
def served(request, tmp_path, monkeypatch):
    yield from request.param(tmp_path, monkeypatch)


async def test_a_mount_from_start_to_end(served, tmp_path):
    folder = served.export("nas", "/srv")
    (folder / "sub").mkdir()
    at, source = tmp_path / "run/sr-mount/one", NfsSource("nas", "/srv")
    assert served.mounts.mounted_at(at) is None
    await served.mounts.mount_nfs(source, at, ("hard",))
    assert served.mounts.mounted_at(at) == "nas:/srv"
    (at / "sub/written").write_text("here")
    assert (folder / "sub/written").read_text() == "here"
    await served.mounts.mount_nfs(source, at, ("hard",))
    await served.mounts.unmount(at)
    assert served.mounts.mounted_at(at) is None
    assert not at.exists()
    await served.mounts.unmount(at)
    await served.mounts.mount_nfs(source.below("sub"), at, ())
    assert (at / "written").read_text() == "here"
    assert served.mounts.mounted_at(at) == "nas:/srv/sub"


async def test_what_is_not_served_is_not_mounted(served, tmp_path):
    served.export("nas", "/srv")
    at = tmp_path / "at"
    for source in (NfsSource("nas", "/other"), NfsSource("nobody", "/srv")):
        with pytest.raises(MountError, match=source.server):
            await served.mounts.mount_nfs(source, at, ())
        assert not at.exists()


async def test_a_place_that_is_taken_is_left_as_it_is(served, tmp_path):
    for path in ("/a", "/b"):
        served.export("nas", path)
    await served.mounts.mount_nfs(NfsSource("nas", "/a"), tmp_path / "at", ())
    with pytest.raises(MountError, match="nas:/a"):
        await served.mounts.mount_nfs(NfsSource("nas", "/b"), tmp_path / "at", ())
    assert served.mounts.mounted_at(tmp_path / "at") == "nas:/a"


async def test_exports(served):
    for path in ("/b", "/a"):
        served.export("nas", path)
    assert await served.mounts.exports("nas") == (Export("/a", "*"), Export("/b", "*"))
    with pytest.raises(MountError):
        await served.mounts.exports("nobody")


@pytest.fixture
def linux(tmp_path, monkeypatch):
    yield from overlays(tmp_path, monkeypatch)


async def test_mount_nfs_is_given_what_it_expects(linux, tmp_path):
    linux.export("nas", "/srv")
    await linux.mounts.mount_nfs(NfsSource("nas", "/srv"), tmp_path / "at", ("hard", "timeo=100"))
    assert linux.log.read_text() == f"nas:/srv {tmp_path}/at -o retry=0,hard,timeo=100\n"


async def test_a_server_that_does_not_answer_is_given_up(linux, tmp_path, monkeypatch):
    (linux.servers / "dead").touch()
    monkeypatch.setattr("xapi_shim.storage.linux_mounts.TIMEOUT_S", 0.1)
    with pytest.raises(MountError, match="not done after"):
        await linux.mounts.mount_nfs(NfsSource("nas", "/srv"), tmp_path / "at", ())
    assert not (tmp_path / "at").exists()


async def test_a_mount_that_is_used_stays(linux, tmp_path):
    linux.export("nas", "/srv")
    await linux.mounts.mount_nfs(NfsSource("nas", "/srv"), tmp_path / "at", ())
    with (tmp_path / "at/file").open("w"), pytest.raises(MountError, match="busy"):
        await linux.mounts.unmount(tmp_path / "at")
    assert linux.mounts.mounted_at(tmp_path / "at") == "nas:/srv"
    await linux.mounts.unmount(tmp_path / "at")


async def test_without_nfs_common_it_is_said(tmp_path, monkeypatch, linux):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(MountError, match="nfs-common"):
        await linux.mounts.mount_nfs(NfsSource("nas", "/srv"), tmp_path / "at", ())


def test_mountinfo():
    text = (
        "36 35 98:0 / /run/sr-mount/a rw,nosuid shared:1 master:2 - nfs4 nas:/srv/a rw,vers=4.2\n"
        "37 35 98:0 / /run/sr-mount/with\\040space rw - nfs nas:/srv/\\134 rw\n"
        "38 35 98:0 / /run/sr-mount/a rw - nfs4 [fe80::1]:/over rw\n"
        "what no kernel writes\n"
    )
    assert mounted_in(text, "/run/sr-mount/a") == "[fe80::1]:/over"
    assert mounted_in(text, "/run/sr-mount/with space") == "nas:/srv/\\"
    assert mounted_in(text, "/run/sr-mount") is None


def test_what_showmount_prints():
    text = "/srv/a        (everyone)\n/srv/b c      10.0.0.0/8,host\nnonsense\n\n"
    assert read_exports(text) == (Export("/srv/a", "*"), Export("/srv/b c", "10.0.0.0/8,host"))


@pytest.mark.parametrize(
    "text", ["", "-o", "-nas", "nas,rw", "nas rw", "nas:/x", "a..b", ".", "nas\n", "[nas]", "fe80::1%a,suid", "ä", "a" * 64]
)  # fmt: skip
def test_servers_that_cannot_be(text):
    with pytest.raises(SrConfigError):
        checked_server(text)


@pytest.mark.parametrize("text", ["nas", "nas.example.org", "NAS-2.", "10.0.0.1", "fe80::1", "[fe80::1]"])
def test_servers(text):
    assert checked_server(text) == text.strip("[]")


@pytest.mark.parametrize(
    "text", ["", "srv", "-o suid", "/a/../etc", "/a/./b", "/a,suid", "/a b", "/a\tb", "/a\\040b", "/a#b", "/\ud800"]
)  # fmt: skip
def test_paths_that_cannot_be(text):
    with pytest.raises(SrConfigError):
        checked_path(text)


@given(st.text())
def test_what_is_let_through_cannot_be_taken_for_something_else(text):
    try:
        source = NfsSource(checked_server(text), checked_path(f"/{text}"))
    except SrConfigError:
        return
    assert not set(str(source)) & set(", \t\n\\#\"'%")
    assert not str(source).startswith("-")


@given(st.lists(st.sampled_from(["a", "srv", "b.c", ""]), max_size=5))
def test_a_path_is_checked_once(parts):
    path = checked_path("/" + "/".join(parts))
    assert checked_path(path) == path
    assert "//" not in path


def test_addresses_of_ipv6_are_in_brackets():
    assert str(NfsSource("fe80::1", "/srv").below("x")) == "[fe80::1]:/srv/x"
    assert str(NfsSource("nas", "/").below("x")) == "nas:/x"
