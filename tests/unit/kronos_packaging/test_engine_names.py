"""What --engine takes, and what is not believed of a build node."""

import hashlib
from pathlib import Path

import pytest

from kronos_packaging.declarations import DeclarationError
from kronos_packaging.engines import engine_named
from kronos_packaging.ssh_engine import How, Node, NodeError, SshEngine, fetch
from xapi_shim.base.process import Completed


@pytest.mark.parametrize(
    ("wish", "engine"),
    [
        ("", None),
        ("local", None),
        ("ssh:node", SshEngine(Node("node"))),
        ("ssh:builder@node.example.org:2222", SshEngine(Node("builder@node.example.org", 2222))),
        ("ssh+sbuild:node", SshEngine(Node("node"), How.SBUILD)),
        ("ssh+mmdebstrap:[::1]:22", SshEngine(Node("::1", 22), How.MMDEBSTRAP)),
    ],
)
def test_engines(wish, engine, monkeypatch):
    monkeypatch.delenv("KRONOS_SSH_CONFIG", raising=False)
    assert engine_named(wish) == engine


@pytest.mark.parametrize(
    "wish", ["koji", "ssh:", "ssh:-oProxyCommand=x", "ssh:a b", "ssh:node:port", "ssh+x:n"]
)
def test_not_engines(wish):
    with pytest.raises(DeclarationError, match="no engine"):
        engine_named(wish)


def test_the_ssh_configuration_can_be_another(monkeypatch):
    monkeypatch.setenv("KRONOS_SSH_CONFIG", "/etc/kronos/ssh")
    engine = engine_named("ssh:node")
    assert engine.node.ssh_argv(["true"])[4:6] == ["-F", "/etc/kronos/ssh"]


def test_ssh_asks_nothing_and_its_shell_sees_words():
    argv = Node("node", 22).ssh_argv(["sh", "a b", "$(c)"])
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes"} <= set(argv)
    assert argv[-3:] == ["--", "node", "sh 'a b' '$(c)'"]


def test_an_ipv6_address_stands_in_brackets_for_scp():
    paths = [Node(host).path("/a") for host in ("node", "me@node", "::1", "me@::1")]
    assert paths == ["node:/a", "me@node:/a", "[::1]:/a", "me@[::1]:/a"]


class Lying(Node):
    """A node whose folder is one of this machine's; both programs do here what they do there."""

    def run(self, argv, *, check=True, log=None):
        names = " ".join(sorted(path.name for path in Path(argv[-1]).iterdir()))
        return Completed(tuple(argv), 0, names, "")

    def path(self, path):
        return path

    def copy(self, *words, check=True):
        Path(words[1], Path(words[0]).name).write_bytes(Path(words[0]).read_bytes())
        return Completed((), 0, "", "")


def left_by_node(folder, name="a_1_all.deb", content=b"x", promised=b"x"):
    folder.mkdir()
    (folder / Path(name).name).write_bytes(content)
    rows = f" {hashlib.sha256(promised).hexdigest()} {len(promised)} {name}\n"
    (folder / "a_1_amd64.changes").write_text(f"Format: 1.8\nChecksums-Sha256:\n{rows}")


def test_what_is_fetched_is_what_the_changes_say(tmp_path):
    (tmp_path / "out").mkdir()
    left_by_node(tmp_path / "there")
    fetch(Lying("node"), str(tmp_path / "there"), tmp_path / "out")
    assert (tmp_path / "out/a_1_all.deb").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("lie", "match"),
    [
        ({"content": b"y"}, "a_1_all.deb is not what a_1_amd64.changes says"),
        ({"name": "../../a.deb"}, "names a file '../../a.deb'"),
        ({"name": "-x.deb"}, "names a file '-x.deb'"),
    ],
)
def test_what_a_node_says_is_checked(tmp_path, lie, match):
    (tmp_path / "out").mkdir()
    left_by_node(tmp_path / "there", **lie)
    with pytest.raises(NodeError, match=match):
        fetch(Lying("node"), str(tmp_path / "there"), tmp_path / "out")


def test_a_node_that_leaves_nothing(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(NodeError, match=r"left 0 \.changes, not one"):
        fetch(Lying("node"), str(tmp_path / "there"), tmp_path)
