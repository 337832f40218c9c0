"""Where xapi-host-setup starts: the boot guard's own short road, and that of all other commands.

A boot waits for the guard. What it needs is imported in a tenth of the time that all commands take, which is
seconds on a slow machine.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line; return the exit status."""
    if sys.argv[1:] == ["guard"]:
        return _guard(Path("/"))
    from kronos_installer.main import main as all_commands

    return all_commands()


def _guard(root: Path) -> int:
    from kronos_installer.guard import guard
    from kronos_installer.host import Host, SystemRunner
    from xapi_shim.base.progress import Reporter

    back = guard(Host(root, SystemRunner(root)), Reporter())
    print("\n".join(back) or "Nothing to put back.")
    return 0
