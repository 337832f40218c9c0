"""Open vSwitch's own memory of its bridges, which must not outlive a set-up that was taken back. Pure.

Open vSwitch keeps its bridges and their ports in /etc/openvswitch/conf.db, over reboots. On a host whose old
network files are back the management interface would still be a port there, and no packet would reach the
addresses that it has again. With OVS_DBDIR (ovs-ctl(8)) below /run the database is made anew at every boot, and
the one in /etc is as it was when the setting goes. The network's own files make the bridges at every boot.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULTS = "/etc/default/openvswitch-switch"
DATABASE = "/etc/openvswitch/conf.db"
_SETTING = "OVS_DBDIR=/run/openvswitch"
# On any line that is no comment: a value may go on over several.
_SETS_DATABASE = re.compile(r"[ \t]*(?![ \t#;]).*(?:\bOVS_DBDIR[ \t]*=|--db-file)")


def keep_database_in_run(defaults: str) -> str:
    """Return /etc/default/openvswitch-switch (systemd.exec(5), EnvironmentFile) with the database in /run.

    Raises ProblemError where it is somewhere else already, or the last line goes on where nothing follows.
    """
    lines = defaults.splitlines()
    if lines and lines[-1].endswith("\\"):
        raise refusal("openvswitch-database", "the last line ends with a backslash", at=f"{DEFAULTS}:{len(lines)}",
                      remedy="remove it")  # fmt: skip
    for number, line in enumerate(lines, 1):
        if _SETS_DATABASE.match(line):
            raise refusal("openvswitch-database", "Open vSwitch's database has a place of its own already",
                          at=f"{DEFAULTS}:{number}", remedy="remove the setting, or choose the bridge backend")  # fmt: skip
    before = defaults if not defaults or defaults.endswith("\n") else f"{defaults}\n"
    return f"{before}# Written by xapi-host-setup: the network's files make the bridges at every boot.\n{_SETTING}\n"


def check_no_bridges(database: bytes) -> None:
    """Raise ProblemError where the database (ovsdb(5)) holds bridges, which would be missing once it is in /run."""
    try:
        names = sorted(_bridges(database))
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise refusal("openvswitch-database", f"Open vSwitch's database cannot be read: {error}", at=f"{DATABASE}:1",
                      remedy="see what `ovsdb-tool show-log` says of it") from error  # fmt: skip
    if names:
        raise refusal("openvswitch-bridges", f"Open vSwitch has bridges already: {', '.join(names)}", at=f"{DATABASE}:1",
                      remedy="remove them with 'ovs-vsctl del-br', or choose the bridge backend")  # fmt: skip


def _bridges(database: bytes) -> Iterator[str]:
    """Yield the names of the bridges that a standalone database's transactions leave.

    A line `OVSDB JSON length hash` stands before each record; the first record is the schema, the others
    hold the changed rows of each table by uuid: their changed columns, or null.
    """
    rows: dict[str, str] = {}
    rest = database
    first = True
    while rest:
        header, _, rest = rest.partition(b"\n")
        magic, kind, length, _hash = header.split()
        if (magic, kind) != (b"OVSDB", b"JSON"):
            raise ValueError("it is not a standalone database")
        record = json.loads(rest[: int(length)])
        rest = rest[int(length) :]
        if not first:
            for uuid, row in record.get("Bridge", {}).items():
                if row is None:
                    rows.pop(uuid, None)
                elif "name" in row or uuid not in rows:
                    rows[uuid] = str(row["name"])
        first = False
    yield from rows.values()
