"""A dist folder sent on to a real sshd and a real rsync daemon of this machine's, and what is damaged over there."""

import os
import shutil
import socket
from contextlib import contextmanager

import pytest
from build_node import build_node
from tiny_packages import TinyDist, deb_target, make_deb, make_rpm, rpm_target

from kronos_lab.machine import wait_until
from kronos_packaging.repository import upload as module
from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.upload import UploadError, parse_destination, upload
from kronos_packaging.repository.verify import verify_tree
from xapi_shim.base.process import start
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(300)]

DAEMON = (
    "use chroot = no\nuid = {uid}\ngid = {gid}\n[dist]\npath = {place}\nread only = no\n"
    "auth users = kronos\nsecrets file = {place}/secrets\n"
)
PASSWORD = "of the daemon"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A dist folder with a suite, a superseded generation of it, and a yum repository."""
    folder = tmp_path_factory.mktemp("upload")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRONOS_CACHE", str(folder / "cache"))
        made = TinyDist(folder, base_url="http://kronos.test")
        with made.signer:
            make_rpm(made.built, "alpha", "1.1")
            make_deb(made.built, "alpha", "1.0")
            made.publish(deb_target(), rpm_target())
            make_deb(made.built, "alpha", "1.1")
            made.publish(deb_target())
            yield made


@contextmanager
def ssh_target(folder):
    with build_node(folder) as node:
        yield f"ssh://node:{node.port}{folder / 'arrived'}", str(folder / "ssh_config")


@contextmanager
def daemon_target(folder):
    ensure_packages(["rsync"], reporter=Reporter())
    config = folder / "rsyncd.conf"
    secrets = folder / "secrets"
    secrets.touch(mode=0o600)
    secrets.write_text(f"kronos:{PASSWORD}\n")
    config.write_text(DAEMON.format(uid=os.getuid(), gid=os.getgid(), place=folder))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = ["rsync", "--daemon", "--no-detach", f"--config={config}", "--address=127.0.0.1", f"--port={port}"]
    with (folder / "rsyncd.log").open("w") as log:
        process = start(argv, log=log)
        try:
            wait_until("the rsync daemon listens", lambda: listens(process, port), 20)
            yield f"rsync://kronos@127.0.0.1:{port}/dist/arrived", ""
        finally:
            process.terminate()
            process.wait()


def listens(process, port):
    assert process.poll() is None, "the rsync daemon ended"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(autouse=True)
def password(monkeypatch):
    """As an operator gives it: rsync must get it from us."""
    monkeypatch.setenv("RSYNC_PASSWORD", PASSWORD)


@pytest.fixture(params=[ssh_target, daemon_target])
def target(request, tmp_path):
    (tmp_path / "arrived").mkdir()
    with request.param(tmp_path) as (wish, ssh_config):
        yield parse_destination(wish, ssh_config)


@pytest.fixture
def arrived(tmp_path):
    return tmp_path / "arrived"


def test_an_upload_arrives_whole_and_repairs_what_was_damaged(tiny, target, arrived):
    upload(tiny.dist, target, Reporter())
    assert contents(arrived) == tiny.content()
    assert verify_tree(arrived, keyring=tiny.keyring)[0] == []
    # The size and the date stay: a bad disk changes neither.
    for path in damaged_by_kind(arrived):
        flip(path)
    (arrived / "apt/pool/bookworm/stray_1_all.deb").write_text("")
    assert verify_tree(arrived, keyring=tiny.keyring)[0] != []
    upload(tiny.dist, target, Reporter())
    assert verify_tree(arrived, keyring=tiny.keyring)[0] == []
    assert contents(arrived) == tiny.content()


def test_an_upload_that_broke_off_leaves_what_was_there_and_goes_on(tiny, arrived, tmp_path):
    shutil.copytree(tiny.dist, tmp_path / "dist")
    newer = TinyDist(tmp_path, base_url="http://kronos.test")
    newer.signer = tiny.signer
    arrived.mkdir()
    make_deb(newer.built, "alpha", "1.2")
    with daemon_target(tmp_path) as (wish, _):
        target = parse_destination(wish)
        upload(newer.dist, target, Reporter())
        newer.publish(deb_target())
        for count in range(5):
            with pytest.raises(Broken):
                upload(newer.dist, target, Reporter(), runner=breaking_after(count))
            assert [problem for problem in verify_tree(arrived)[0] if matters_to_apt(problem)] == []
        upload(newer.dist, target, Reporter())
    assert verify_tree(arrived)[0] == []
    assert contents(arrived) == newer.content()


def matters_to_apt(problem):
    """Return whether it is about what apt fetches; what nobody names yet, or any more, harms no one."""
    fetched = any(part in problem.path for part in ("/pool/", "/by-hash/", "InRelease"))
    return fetched and "surplus" not in problem.what


def test_a_target_that_is_not_there_is_told_in_a_sentence(tiny, tmp_path):
    with daemon_target(tmp_path) as (wish, _):
        absent = parse_destination(wish.replace("/dist/", "/absent/"))
        with pytest.raises(UploadError, match=r"sending packages failed: .*goes on from there"):
            upload(tiny.dist, absent, Reporter())


def test_what_is_damaged_here_is_not_sent(tiny, arrived, tmp_path):
    copy = tmp_path / "dist"
    shutil.copytree(tiny.dist, copy)
    flip(copy / "apt/pool/bookworm/alpha_1.0_all.deb")
    with pytest.raises(RepositoryError, match="its checksum is not the one that is signed"):
        upload(copy, parse_destination(str(arrived)), Reporter())
    assert not arrived.exists()


class Broken(Exception):
    pass


def breaking_after(count):
    """Run that many steps of an upload as they are run, then break off."""
    done = []

    def runner(step):
        if len(done) == count:
            raise Broken
        done.append(step)
        module._run(step)

    return runner


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def damaged_by_kind(folder):
    """Return one package, index by hash, plain index, signed file and page."""
    return [
        folder / "apt/pool/bookworm/alpha_1.0_all.deb",
        next((folder / "apt/dists/bookworm/main/binary-amd64/by-hash/SHA256").iterdir()),
        folder / "apt/dists/bookworm/main/binary-amd64/Packages",
        folder / "apt/dists/bookworm/InRelease",
        folder / "yum/fedora/44/x86_64/Packages/alpha-1.1-1.noarch.rpm",
        next((folder / "yum/fedora/44/x86_64/repodata").glob("*-primary.xml.gz")),
        folder / "index.html",
    ]


def flip(path):
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
