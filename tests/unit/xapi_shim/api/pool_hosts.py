"""Hosts for tests of pools: databases as the daemon fills them over the simulator, and rows of every class."""

import asyncio
from dataclasses import replace

from xapi_shim.api.certificate_records import settle_own
from xapi_shim.api.host_facts import Cpu, HostFacts
from xapi_shim.api.pool_rows import own_fields
from xapi_shim.api.startup import start_up
from xapi_shim.base.paths import Paths
from xapi_shim.datamodel.types import NULL_REF, Kind
from xapi_shim.network.interface import Nic
from xapi_shim.web.daemon import Daemon, Options


def facts(number):
    cpus = tuple(Cpu(n, "AuthenticAMD", "a processor", 25, 1, "1", "fpu sse2", 2400) for n in range(2))
    inventory = {
        "INSTALLATION_UUID": f"00000000-0000-4000-8000-00000000000{number}",
        "CONTROL_DOMAIN_UUID": f"00000000-0000-4000-9000-00000000000{number}",
    }
    return HostFacts(f"host{number}", "6.1", "Debian", "12", cpus, inventory, 2 << 30)


def started(root, number, *, nics=("eth0",)):
    """Return the toolstack of a host of its own, as the daemon has it when it opens its doors."""
    tools = Daemon(Options(Paths(root), simulator=True, address=None, port=0, under_systemd=False)).tools
    former = tools.network.interfaces
    found = tuple(
        former.nics[0] if nic == "eth0" else Nic(nic, "52:54:00:00:01:01", 1500, carrier=False, speed_mbit=0,
                                                 full_duplex=False)
        for nic in nics
    )  # fmt: skip
    tools.network.interfaces = replace(
        former, nics=found, management=replace(former.management, ip=f"192.0.2.{number}")
    )

    async def go():
        await start_up(tools, facts(number), local_sr_type="dummy")
        settle_own(tools)

    asyncio.run(go())
    return tools


def rows(db):
    """Return all that a database holds, as its clients see it; sets in no order."""
    return {
        (cls, ref): {
            name: tuple(sorted(value)) if isinstance(value, list) else value
            for name, value in row.values.items()
        }
        for cls, table in db.tables.items()
        for ref, row in table.rows.items()
    }


def dangling(db):
    """Return (class, ref, field, ref) of all that is named and is not there."""

    def ends(of, value):
        if of.kind is Kind.REF:
            return [(of.name, value)]
        if of.kind is Kind.SET:
            return [end for item in value for end in ends(of.of[0], item)]
        if of.kind is Kind.MAP:
            return [end for k, v in value.items() for end in (*ends(of.of[0], k), *ends(of.of[1], v))]
        return []

    return {
        (cls, ref, field.name, named)
        for cls, table in db.tables.items()
        for ref in table.rows
        for field in table.cls.fields
        for of, named in ends(field.type, db.get(cls, ref, field.name))
        if named != NULL_REF and not db.exists(of, named)
    }


def one_of_each(db):
    """Make a row of every class, each naming the others wherever it may; return the refs by class."""
    made = {cls: db.create(cls, {}) for cls in db.tables if cls not in ("pool", "host", "role", "VM")}
    made |= {"VM": db.create("VM", {"power_state": "Halted"})}
    made |= {"host": db.refs("host")[0], "pool": db.refs("pool")[0]}
    for cls, ref in made.items():
        for field in own_fields(db, cls):
            if db.get(cls, ref, field.name) == NULL_REF and field.type.name in made:
                db.set(cls, ref, field.name, made[field.type.name])
            elif field.type.kind is Kind.SET and field.type.of[0].kind is Kind.REF and cls != "role":
                other = made.get(field.type.of[0].name)
                db.set(cls, ref, field.name, [other] if other else [])
    db.set("VM", made["VM"], "blobs", {"a": made["blob"]})
    db.set("VM", made["VM"], "snapshot_of", NULL_REF)
    db.set("VM", made["VM"], "resident_on", NULL_REF)
    return made
