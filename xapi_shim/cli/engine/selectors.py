"""Which objects a command works on: vm=, host= or sr= with a name or a uuid, uuid=, or any parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.classes import CLASSES
from xapi_shim.cli.engine.command import CommandError
from xapi_shim.cli.engine.filters import matches
from xapi_shim.cli.engine.records import parameters

if TYPE_CHECKING:
    from xapi_shim.cli.engine.command import Context

# The classes by selector, and how many of them are called.
API = {"vm": "VM", "host": "host", "sr": "SR", "snapshot": "VM"}
PLURAL = {"vm": "VMs", "host": "hosts", "sr": "SRs", "snapshot": "snapshots"}
NO_FILTER = ("multiple", "minimal", "params", "force")


def selected(ctx: Context, kind: str, *, one_only: bool = False) -> list[str]:
    """Return the refs of the objects that the arguments select.

    Raises CommandError when there is none, or there are several without --multiple.
    """
    own = {word.rstrip(":") for word in (*ctx.command.required, *ctx.command.optional)}
    wanted = {
        k: v
        for k, v in ctx.args.items()
        if k not in own and k.partition(":")[0] not in own and k not in NO_FILTER
    }
    name = next(
        (wanted.pop(k) for k in (kind, f"{kind}-id", f"{kind}-name", f"{kind}-uuid") if k in wanted), None
    )
    known = parameters(CLASSES[kind])
    found = [
        ref
        for ref, row in candidates(ctx, kind)
        if (name is None or name in (row["name_label"], row["uuid"]))
        and all(matches(known, row, k, v, ctx.store) for k, v in wanted.items())
    ]
    if not found:
        raise CommandError(f"No matching {PLURAL[kind]} found")
    if len(found) > 1 and one_only:
        raise CommandError(
            f"Multiple matches {PLURAL[kind]} found. Operation can only be performed on one {API[kind]} at a time"
        )
    if len(found) > 1 and not ctx.flag("multiple"):
        raise CommandError(
            f"Multiple matches {PLURAL[kind]} found. --multiple required to complete the operation"
        )
    return found


def candidates(ctx: Context, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the objects that selectors choose from: no templates, no control domains."""
    rows = ctx.store.all(API[kind]).items()
    if kind == "vm":
        return [(ref, row) for ref, row in rows if not row["is_a_template"] and not row["is_control_domain"]]
    if kind == "snapshot":
        return [(ref, row) for ref, row in rows if row["is_a_snapshot"]]
    return list(rows)


def the_host(ctx: Context, wanted: str = "") -> str:
    """Return the host with a uuid or name, the only one for "". Raises CommandError."""
    hosts = ctx.store.all("host")
    found = [ref for ref, row in hosts.items() if wanted in ("", row["uuid"], row["name_label"])]
    if len(found) != 1:
        raise CommandError(f"{'No' if not found else 'Multiple'} matching hosts found")
    return found[0]
