"""docs/xe-coverage.md: which commands of xe work, as the daemon's own tables say.

Printed by `python3 -m xapi_shim.web.xe_coverage`, written anew by `./inv docs`; a test compares.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.paths import Paths
from xapi_shim.cli.engine.interpreter import commands

if TYPE_CHECKING:
    from collections.abc import Collection

    from xapi_shim.rpc.dispatch import Dispatcher

HEAD = """\
# xe coverage

The commands of `xe` by state, generated from the table of commands and the daemon's own list of messages
(`./inv docs`); a test compares. All 672 commands of the reference are there: one
whose message the daemon does not implement prints the error `NOT_IMPLEMENTED`, one of a class that is not
served yet `MESSAGE_METHOD_UNKNOWN`, one whose HTTP action is not served says that the transfer was refused;
each exits with status 1.
"""
WORKS, NO_MESSAGE, NO_CLASS, NO_TRANSFER = (
    "works",
    "not implemented",
    "class not served",
    "transfer not served",
)
STATES = (WORKS, NO_MESSAGE, NO_CLASS, NO_TRANSFER)


def missing(
    messages: Collection[str],
    known: Collection[str],
    unimplemented: Collection[str],
    actions: Collection[str],
) -> tuple[str, list[str]]:
    """Return a command's state and which of its messages make it so."""
    lacking = [m for m in messages if m.startswith("http:") and m.removeprefix("http:") not in actions]
    if lacking:
        return NO_TRANSFER, lacking
    lacking = [m for m in messages if m not in known and not m.startswith("http:")]
    if lacking:
        return NO_CLASS, lacking
    lacking = [m for m in messages if m in unimplemented]
    return (NO_MESSAGE, lacking) if lacking else (WORKS, [])


def coverage_text(dispatcher: Dispatcher, actions: Collection[str]) -> str:
    """Return the page; `actions` are the paths of HTTP actions that are served."""
    known, unimplemented = dispatcher.bound.keys(), set(dispatcher.unimplemented())
    states = {
        name: missing(command.messages, known, unimplemented, actions)
        for name, command in sorted(commands().items())
    }
    counts = Counter(state for state, _ in states.values())
    lines = [HEAD, "| state | commands |", "|---|---|"]
    lines += [f"| {state} | {counts[state]} |" for state in STATES] + [f"| all | {len(states)} |"]
    for state in STATES:
        lines += ["", f"## {state.capitalize()}", ""]
        lines += [
            f"- `{name}`" + (f": {', '.join(f'`{one}`' for one in lacking)}" if lacking else "")
            for name, (of, lacking) in states.items()
            if of == state
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print the page of a daemon that is put together and not started."""
    from xapi_shim.web.daemon import Daemon, Options

    with tempfile.TemporaryDirectory() as folder:
        options = Options(Paths(Path(folder)), simulator=True, address=None, port=0, under_systemd=False)
        daemon = Daemon(options)
        sys.stdout.write(coverage_text(daemon.dispatcher, daemon.http_actions))
        daemon.tools.db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
