"""The set-up's speed: check, plan and apply of recorded hosts, without package downloads and without Xen.

The hosts and the stand-ins for update-grub, systemctl and the like are the tests' (tests/unit/kronos_installer):
what is timed is our own work, and how many programs it starts. Seconds without network are measured where there is
one, in the lab (docs/support-matrix.md).
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kronos_installer import executor
from kronos_installer.facts import Facts, read_facts
from kronos_installer.plan import make_plan
from kronos_installer.problem import RefusedError
from kronos_installer.wishes import Wishes
from kronos_lab.cache import REPO
from kronos_packaging.bench import Row, Times, calibrate, in_turn, repeated, seconds
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

if TYPE_CHECKING:
    from kronos_installer.host import Host

KIT = REPO / "tests/unit/kronos_installer/installer_kit.py"
CASES = REPO / "tests/unit/kronos_installer/cases"
# The target: so many plans a second from recorded facts.
PLANS = 50
WISHES = Wishes("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
_QUIET = Reporter(io.StringIO())


def measure(runs: int, reporter: Reporter) -> tuple[list[Row], list[Times]]:
    """Return the rows and the machine's noise between them. Raises KronosError, OSError."""
    kit = _kit()
    noise = [calibrate()]
    with tempfile.TemporaryDirectory(prefix="kronos-bench-") as folder:
        with reporter.stage("reading the recorded hosts"):
            recorded = _recorded(kit, Path(folder))
        with reporter.stage("plans"):
            rows = [_plans(runs, recorded)]
        host: Host = kit.make_host(Path(folder) / "one")
        for command in ("check", "plan"):
            with reporter.stage(command):
                rows.append(_command(runs, command, host.root))
        noise.append(calibrate())
        with reporter.stage("apply and rollback"):
            rows += _apply_and_rollback(runs, kit, Path(folder))
    noise.append(calibrate())
    return rows, noise


def _kit() -> Any:  # noqa: ANN401 -- a module of the tests, which mypy does not read
    spec = importlib.util.spec_from_file_location("installer_kit", KIT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _recorded(kit: Any, folder: Path) -> list[Facts]:  # noqa: ANN401 -- as above
    """Return the facts of every recorded host that can be set up."""
    found = []
    for case in sorted(CASES.glob("*/plan.diff")):
        host = kit.make_host(folder / case.parent.name, case.parent / "host")
        facts = read_facts(host, host.runner)
        try:
            make_plan(facts, WISHES)
        except RefusedError:
            continue
        found.append(facts)
    return found


def _plans(runs: int, recorded: list[Facts]) -> Row:
    def plan() -> None:
        for number in range(PLANS):
            make_plan(recorded[number % len(recorded)], WISHES)

    note = f"{len(recorded)} recorded hosts in turn"
    return Row(f"{PLANS} plans from recorded facts", repeated(runs, plan), wanted="1 s", note=note)


def _command(runs: int, command: str, root: Path) -> Row:
    argv = [sys.executable, "-m", "kronos_installer.main", command, "--json", "--root", os.fspath(root)]
    path = ":".join(os.fspath(REPO / room) for room in (".", "installer"))

    def ours() -> None:
        run(argv, env={"PYTHONPATH": path}, check=False)

    def theirs() -> None:
        run([sys.executable, "-S", "-c", "pass"])

    mine, bare = in_turn(runs, ours, theirs)
    return Row(f"xapi-host-setup {command}", mine, "python3 -S", bare, note="a process each, a recorded host")


def _apply_and_rollback(runs: int, kit: Any, folder: Path) -> list[Row]:  # noqa: ANN401 -- as above
    forth: list[float] = []
    back: list[float] = []
    started: list[int] = []
    for number in range(runs):
        host: Host = kit.make_host(folder / f"apply{number}")
        plan = make_plan(read_facts(host, host.runner), WISHES)
        runner: Any = host.runner
        runner.ran.clear()
        forth.append(seconds(partial(executor.apply, plan, host, _QUIET)))
        started.append(len(runner.ran))
        back.append(seconds(partial(executor.rollback, host, _QUIET)))
        started.append(len(runner.ran) - started[-1])
    durable = "every step durable; its programs are stand-ins"
    return [
        Row("apply", Times(tuple(forth)), note=f"{durable}: {started[0]} started"),
        Row("rollback", Times(tuple(back)), note=f"{durable}: {started[1]} started"),
    ]
