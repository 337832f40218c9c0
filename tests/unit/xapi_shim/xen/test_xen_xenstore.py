"""Keys for guests: the tools of xenstore-utils by stand-ins that check their words and keep a tree of files."""

import stat

import pytest

from xapi_shim.xen import xenstore
from xapi_shim.xen.host_tools import XlHostTools
from xapi_shim.xen.interface import XenError

# As xenstore-write(1) and its like take them: options, `--`, then keys.
STAND_IN = """#!/usr/bin/python3
import sys
from pathlib import Path
root, name, words = Path("{root}"), Path(sys.argv[0]).name, sys.argv[1:]
at = words.index("--")
options, words = words[:at], words[at + 1 :]
place = lambda key: root / (key.strip("/").replace("/", "|"))
if name == "xenstore-write":
    assert options == ["-R"] and len(words) % 2 == 0
    for key, value in zip(words[::2], words[1::2]):
        if value == "refuse":
            sys.exit("could not write path " + key)
        place(key).write_text(value)
elif name == "xenstore-chmod":
    (root / "rights").open("a").write(" ".join(words) + chr(10))
elif name == "xenstore-rm":
    for path in root.glob(place(words[0]).name + "*"):
        path.unlink()
elif name == "xenstore-read":
    if not place(words[0]).exists():
        sys.exit("couldn't read path " + words[0])
    print(place(words[0]).read_text())
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return what is in the tree, by key."""
    root, tools = tmp_path / "tree", tmp_path / "tools"
    root.mkdir()
    tools.mkdir()
    for name in ("write", "chmod", "rm", "read"):
        (tools / f"xenstore-{name}").write_text(STAND_IN.format(root=root))
        (tools / f"xenstore-{name}").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return lambda: {path.name.replace("|", "/"): path.read_text() for path in root.iterdir()}


async def test_a_guest_may_change_what_it_is_told(tree):
    await xenstore.write_guest_keys(3, "xenserver/x", {"address": "-R", "gateway": ""})
    await xenstore.write_guest_keys(3, "control/ts", {"": "1"})
    assert tree() == {
        "local/domain/3/xenserver/x": "",
        "local/domain/3/xenserver/x/address": "-R",
        "local/domain/3/xenserver/x/gateway": "",
        "local/domain/3/control/ts": "1",
        "rights": "/local/domain/3/xenserver/x n0 b3\n/local/domain/3/control/ts n0 b3\n",
    }
    assert await xenstore.read_guest_key(3, "control/ts") == "1"
    assert await xenstore.read_guest_key(3, "control/feature-ts2") is None
    with pytest.raises(XenError, match="could not write path"):
        await xenstore.write_guest_keys(3, "x", {"y": "refuse"})


async def test_what_is_for_all_guests_is_only_to_be_read(tree):
    tools = XlHostTools()
    await tools.publish("/features", {"a": "1", "a/b": "2"})
    await tools.publish("/features", {"a": "3"})
    assert tree() == {"features": "", "features/a": "3", "rights": "/features r0\n/features r0\n"}
