"""Commands that look into the toolstack, and the one that waits for an event."""

from __future__ import annotations

from xapi_shim.cli.engine.classes import CLASSES
from xapi_shim.cli.engine.command import CommandError, Context, command
from xapi_shim.cli.engine.filters import matches
from xapi_shim.cli.engine.output import map_text
from xapi_shim.cli.engine.records import parameters
from xapi_shim.cli.engine.selectors import the_host
from xapi_shim.cli.engine.simple import simple

simple("diagnostic-compact", "Diagnostics.gc_compact", "$self", selects="host")
simple("diagnostic-gc-stats", "Diagnostics.gc_stats", "$self", selects="host", prints="text")
simple("diagnostic-db-stats", "Diagnostics.db_stats", prints="text")


@command("diagnostic-timing-stats", messages="host.get_diagnostic_timing_stats")
def timing_stats(ctx: Context) -> None:
    """Print how long the parts of the daemon took."""
    ctx.print(map_text(ctx.call("host.get_diagnostic_timing_stats", the_host(ctx))))


@command(
    "diagnostic-net-stats", optional="uri method params", selects="host", messages="Diagnostics.network_stats"
)
def net_stats(ctx: Context) -> None:
    """Print how much came and went by each door."""
    wanted = {name: ctx.args[name] for name in ("uri", "method", "params") if name in ctx.args}
    for row in ctx.call("Diagnostics.network_stats", the_host(ctx), wanted):
        ctx.print(" ".join(row))


@command("diagnostic-vdi-status", "uuid")
def vdi_status(ctx: Context) -> None:
    """Print a disk and the VBDs that use it."""
    from xapi_shim.cli.engine.generated import show_records

    vdi = ctx.store.all("VDI")[ctx.ref("VDI", ctx.need("uuid"))]
    show_records(ctx, CLASSES["vdi"], [vdi], "all")
    vbds = [ctx.store.all("VBD")[ref] for ref in vdi["VBDs"]]
    for title, attached in (("active VBDs", True), ("inactive VBDs", False)):
        ctx.print(f"{title}:")
        show_records(
            ctx, CLASSES["vbd"], [row for row in vbds if row["currently_attached"] is attached], "all"
        )


@command("diagnostic-vm-status", "uuid", flags="standard")
def vm_status(ctx: Context) -> None:
    """Print a VM, its disks, and what it needs to start."""
    from xapi_shim.cli.engine.generated import show_records

    row = ctx.store.all("VM")[ctx.ref("VM", ctx.need("uuid"))]
    show_records(ctx, CLASSES["vm"], [row], "uuid,name-label,power-state,possible-hosts")
    show_records(ctx, CLASSES["vbd"], [ctx.store.all("VBD")[ref] for ref in row["VBDs"]], "all")


@command("diagnostic-license-status", messages="host.get_license_params")
def license_status(ctx: Context) -> None:
    """Print each host's edition."""
    for row in ctx.store.all("host").values():
        ctx.print(f"{row['hostname']} {row['uuid']} {row['edition']}")


@command("event-wait", "class", messages="event.from")
def event_wait(ctx: Context) -> None:
    """Wait until an object of class= has the given parameters; NAME=/=VALUE waits for any other value."""
    name = ctx.need("class")
    cls = next((one for one in CLASSES.values() if name.lower() in (one.name, one.api.lower())), None)
    if cls is None:
        raise CommandError(f"Class {name} is not known")
    known = parameters(cls)
    wanted = [(k, v) for k, v in ctx.args.items() if k != "class"]

    def satisfied() -> bool:
        for row in ctx.store.all(cls.api).values():
            if all(_meets(ctx, known, row, k, v) for k, v in wanted):
                return True
        return False

    token = ""
    while True:
        # What changes after this token is told by the next call: nothing is missed in between.
        token = ctx.call("event.from", [cls.api.lower()], token, 30.0)["token"]
        ctx.store.forget()
        if satisfied():
            return


def _meets(ctx: Context, known: object, row: object, name: str, value: str) -> bool:
    """Say whether a record has the value; `/=VALUE` asks for any other."""
    assert isinstance(known, dict)
    assert isinstance(row, dict)
    if value.startswith("/="):
        return not matches(known, row, name, value[2:], ctx.store)
    return matches(known, row, name, value, ctx.store)
