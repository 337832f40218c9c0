"""The daemon's speed beside its peers': encoding, calls, xe, events, start-up, memory, durable writes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import tempfile
import tomllib
import xmlrpc.client
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kronos_lab.bench_daemon import Client, ServerProcess, daemon, server
from kronos_lab.bench_events import fan_out
from kronos_lab.cache import REPO
from kronos_packaging.bench import Row, Times, calibrate, in_turn
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from xapi_shim.base.progress import Reporter

SIZES = (100, 1_000, 10_000)
DOMAINS = 512
# A burst of cheap calls or writes is one time: single ones are too short to compare.
CALLS = 500
WRITES = 200
TEMPLATE = "Linux kernel and ramdisk"
XML_CALL = "<methodCall><methodName>{}</methodName><params>{}</params></methodCall>"


def measure(runs: int, reporter: Reporter) -> tuple[list[Row], list[Times]]:
    """Return the rows and the machine's noise between them. Raises KronosError, OSError."""
    ensure_packages(("libvirt-clients",), reporter=reporter)
    rows: list[Row] = []
    noise: list[Times] = [calibrate()]
    with tempfile.TemporaryDirectory(prefix="kronos-bench-") as folder:
        root = Path(folder) / "state"
        argv, path = daemon(root)
        with server(argv, path) as running:
            client = Client(path)
            empty = running.resident_bytes
            rows += _small(runs, reporter, running, client, Path(folder))
            noise.append(calibrate())
            for size in SIZES:
                with reporter.stage(f"get_all_records of {size} VMs"):
                    _fill(client, size)
                    before = running.resident_bytes
                    rows += _records(runs, client, size)
                    rows.append(_memory(size, empty, before, running.resident_bytes))
                noise.append(calibrate())
                if size < DOMAINS < SIZES[-1] and not any(row.what.startswith("xe") for row in rows):
                    with reporter.stage("xe vm-list"):
                        _fill(client, DOMAINS)
                        rows.append(_xe(runs, path, Path(folder)))
            client.close()
        with reporter.stage(f"starting with {SIZES[-1]} VMs"):
            rows.append(_start_up(min(runs, 3), argv, path))
        noise.append(calibrate())
    return rows, noise


def _small(runs: int, reporter: Reporter, running: ServerProcess, client: Client, folder: Path) -> list[Row]:
    with reporter.stage("cheap calls"):
        rows = [_cheap(runs, client, folder)]
    with reporter.stage("durable writes"):
        rows.append(_writes(runs, client, folder))
    with reporter.stage("event fan-out"):
        rows.append(asyncio.run(fan_out(running, client)))
    return rows


def _template(client: Client) -> str:
    return str(cast("list[str]", client.call("VM.get_by_name_label", TEMPLATE))[0])


def _fill(client: Client, size: int) -> None:
    """Clone until there are `size` VMs, templates and the control domain with them."""
    template = _template(client)
    have = len(cast("list[str]", client.call("VM.get_all")))
    for number in range(have, size):
        client.call("VM.clone", template, f"vm{number:05}")


def _records(runs: int, client: Client, size: int) -> list[Row]:
    """Compare whole answers, from the request to the last byte, with a dump of the same records alone."""
    records = client.call("VM.get_all_records")
    as_json = json.dumps({"method": "VM.get_all_records", "params": [client.session], "id": 1}).encode()
    param = f"<param><value>{client.session}</value></param>"
    as_xml = XML_CALL.format("VM.get_all_records", param).encode()
    # What Python's marshaller is given has strings for integers, as the wire has.
    told = cast("dict[str, object]", _texts(records))
    rows = []
    for name, ours, peer, theirs in (
        (
            "XML",
            lambda: client.post("/", as_xml),
            "xmlrpc.client.dumps",
            lambda: xmlrpc.client.dumps((told,)),
        ),
        ("JSON", lambda: client.post("/jsonrpc", as_json), "json.dumps", lambda: json.dumps(records)),
    ):
        mine, peers = in_turn(runs, ours, theirs)
        note = f"{mine.median / size * 1e6:.1f} µs a record, the peer's {peers.median / size * 1e6:.1f}"
        rows.append(Row(f"VM.get_all_records, {size} VMs, {name}", mine, peer, peers, "0.10", note))
    return rows


def _texts(value: object) -> object:
    """Return `value` with its integers as text."""
    if isinstance(value, dict):
        return {key: _texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _cheap(runs: int, client: Client, folder: Path) -> Row:
    vm = _template(client)
    body = json.dumps({"method": "VM.get_power_state", "params": [client.session, vm], "id": 1}).encode()
    path = folder / "constant"
    with server([sys.executable, "-m", "kronos_lab.bench_constant", path], path):
        bare = Client(path, login=False)

        def burst(one: Client) -> None:
            for _ in range(CALLS):
                one.post("/jsonrpc", body)

        ours, theirs = in_turn(runs, lambda: burst(client), lambda: burst(bare))
        bare.close()
    note = f"{CALLS / ours.median:.0f} calls/s, the peer {CALLS / theirs.median:.0f}"
    return Row(
        f"{CALLS} times a session check and one field", ours, "aiohttp, a constant", theirs, "2.00", note
    )


def _writes(runs: int, client: Client, folder: Path) -> Row:
    """One connection, one write after the other, each on the disk before its answer."""
    vm = str(client.call("VM.clone", _template(client), "written"))
    peer = sqlite3.connect(folder / "peer.db", isolation_level=None)
    peer.execute("PRAGMA journal_mode=WAL")
    peer.execute("PRAGMA synchronous=FULL")
    peer.execute("CREATE TABLE object (ref TEXT PRIMARY KEY, body TEXT)")
    body = json.dumps(client.call("VM.get_record", vm))
    count = iter(range(10**9))

    def ours() -> None:
        for _ in range(WRITES):
            client.call("VM.set_name_description", vm, f"{next(count)}")

    def theirs() -> None:
        for _ in range(WRITES):
            peer.execute("INSERT OR REPLACE INTO object VALUES (?, ?)", (vm, f"{body}{next(count)}"))

    mine, peers = in_turn(runs, ours, theirs)
    peer.close()
    note = f"{WRITES / mine.median:.0f} writes/s, the peer {WRITES / peers.median:.0f}"
    return Row(f"{WRITES} durable writes", mine, "SQLite alone, synced", peers, "", note)


def _memory(size: int, empty: int, before: int, after: int) -> Row:
    each, told = (before - empty) / size / 1024, (after - empty) / size / 1024
    note = f"{before / 2**20:.0f} MiB: {each:.1f} KiB a VM; {after / 2**20:.0f} MiB after the records were read: {told:.1f}"
    return Row(f"resident memory, {size} VMs", None, note=note)


def _xe(runs: int, socket: Path, folder: Path) -> Row:
    module = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["scripts"]["xe"].partition(":")[
        0
    ]
    node = folder / "node.xml"
    domain = "<domain type='test'><name>vm{0}</name><memory>262144</memory><os><type>hvm</type></os></domain>"
    node.write_text(f"<node>{''.join(domain.format(n) for n in range(DOMAINS))}</node>")
    ours, theirs = in_turn(
        runs,
        lambda: run([sys.executable, "-m", module, "--socket", socket, "vm-list"], cwd=REPO),
        lambda: run(["virsh", "--connect", f"test://{node}", "list", "--all"]),
    )
    bare, _ = in_turn(runs, lambda: run([sys.executable, "-S", "-c", ""]), lambda: None)
    note = f"the reference published 0.449 s; {ours.median / bare.median:.1f} times a bare python3 -S (wanted: 3)"
    return Row(f"xe vm-list, {DOMAINS} VMs", ours, "virsh list, test driver", theirs, "< 0.449 s", note)


def _start_up(runs: int, argv: list[str | Path], path: Path) -> Row:
    times: list[float] = []
    for _ in range(runs):
        with server(argv, path) as running:
            times.append(running.started_s)
    took = Times(tuple(times))
    return Row(
        f"start-up to ready, {SIZES[-1]} VMs", took, note=f"{took.median / SIZES[-1] * 1e6:.0f} µs a VM"
    )
