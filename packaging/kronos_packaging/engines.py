"""Which engine builds: the word that `./inv build --engine` takes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.declarations import DeclarationError

if TYPE_CHECKING:
    from kronos_packaging.engine import Engine

SSH = re.compile(
    r"ssh(?:\+(?P<how>sbuild|mmdebstrap))?:"
    r"(?P<host>(?:[\w.-]+@)?(?:\[(?P<address>[0-9a-fA-F:.]+)\]|\w[\w.-]*))(?::(?P<port>\d{1,5}))?"
)
SSH_CONFIG = "KRONOS_SSH_CONFIG"


def engine_named(wish: str) -> Engine | None:
    """Return the engine of `local`, `ssh:[USER@]HOST[:PORT]`, `ssh+sbuild:...` or `ssh+mmdebstrap:...`.

    None for `local` or nothing: the factory's own. $KRONOS_SSH_CONFIG names an ssh_config(5) to
    use instead of the user's. Raises DeclarationError.
    """
    if wish in ("", "local"):
        return None
    match = SSH.fullmatch(wish)
    if match is None:
        raise DeclarationError(f"no engine {wish!r}", resolution="there are: local, ssh:[USER@]HOST[:PORT]")
    from kronos_packaging.ssh_engine import How, Node, SshEngine

    config = os.environ.get(SSH_CONFIG)
    host = match["host"].replace("[", "").replace("]", "")
    node = Node(host, int(match["port"] or 0), Path(config) if config else None)
    return SshEngine(node, How(match["how"] or How.AUTO))
