"""The lab's tasks: machines that stay up between commands."""

from __future__ import annotations

import os
import shutil
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from kronos_lab import support_matrix
from kronos_lab.cache import lab_dir
from kronos_lab.image import RELEASES, ensure_image, release_spec
from kronos_lab.machine import Machine, free_port
from kronos_lab.rows import ROWS, find_row
from kronos_lab.test_tasks import run_tests
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import replace_process
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from invoke.context import Context

STATE = "machine.json"
SEGMENT = "lab"
# ssh, and a host's API.
FORWARDED = (22, 443)


def _folder(name: str) -> Path:
    return lab_dir() / "machines" / name


def _load(name: str) -> Machine:
    """Return a machine that `lab.up` made. Raises Exit."""
    try:
        state = loads((_folder(name) / STATE).read_text())
    except FileNotFoundError:
        raise Exit(f"no machine {name}; make it with: ./inv lab.up --name {name}", 2) from None
    return Machine(
        Path(state["base"]),
        name=name,
        folder=_folder(name),
        ports={int(there): here for there, here in state["ports"].items()},
        segment=SEGMENT,
        index=state["index"],
    )


def _known() -> list[str]:
    return sorted(path.parent.name for path in _folder("").glob(f"*/{STATE}"))


def free_index(taken: Iterable[int]) -> int:
    """Return the smallest number that no machine has; MAC addresses end in it. Raises KronosError."""
    for number in sorted(set(range(256)) - set(taken)):
        return number
    raise KronosError("256 machines are enough", resolution="forget some with: ./inv lab.down --destroy")


def _ready(name: str, base: Path) -> Machine:
    """Return a machine to boot: a known one or a new one, with ports that are free now."""
    if name in _known():
        known = _load(name)
        base, index = known.base, known.index
    else:
        index = free_index(_load(other).index for other in _known())
    state = {"base": os.fspath(base), "ports": {port: free_port() for port in FORWARDED}, "index": index}
    _folder(name).mkdir(parents=True, exist_ok=True)
    (_folder(name) / STATE).write_text(dumps(state))
    return _load(name)


RELEASE_HELP = f"{', '.join(RELEASES)}; {next(iter(RELEASES))} unless given"


@task(help={"release": RELEASE_HELP})
def image(_: Context, release: str = "debian-12") -> None:
    """Make a base disk: a Debian release as its installer leaves it."""
    try:
        print(ensure_image(Reporter(), release_spec(release)))
    except KronosError as error:
        raise Exit(str(error), 1) from error


@task(
    help={
        "name": "the machine's name",
        "count": "so many machines: NAME, NAME-1, ...",
        "release": f"{RELEASE_HELP}; a machine that is there already stays what it is",
    }
)
def up(_: Context, name: str = "lab", count: int = 1, release: str = "debian-12") -> None:
    """Boot machines (made from the base disk on the first time) and wait until they answer."""
    reporter = Reporter()
    try:
        base = ensure_image(reporter, release_spec(release))
        for number in range(count):
            own = f"{name}-{number}" if number else name
            if own in _known() and _load(own).qemu_pid() is not None:
                continue
            machine = _ready(own, base)
            with reporter.stage(f"booting {own}"):
                machine.power_on()
                machine.wait_for_ssh()
    except KronosError as error:
        raise Exit(str(error), 1) from error


@task(help={"name": "the machine's name", "command": "run this instead of a login"})
def ssh(_: Context, name: str = "lab", command: str = "") -> None:
    """Log in to a machine as root, or run a command there."""
    replace_process(_load(name).ssh_argv(*([command] if command else [])))


@task(help={"name": "the machine's name"})
def console(_: Context, name: str = "lab") -> None:
    """Talk to a machine's serial console; leave with Ctrl-]. What it printed before is in its console.log."""
    machine = _load(name)
    ensure_packages(["socat"], reporter=Reporter())
    replace_process(["socat", "-,raw,echo=0,escape=0x1d", f"UNIX-CONNECT:{machine.spec.console_socket}"])


@task(help={"only": "tests whose names match this expression of pytest's -k, in place of it"})
def test(_: Context, only: str = "test_the_whole_road") -> None:
    """Walk the whole road: build, apt install, host set-up, Xen, guests, and all the way back."""
    run_tests("lab", only, shown=True)


@task(
    help={
        "row": f"one of: {', '.join(ROWS)}; all of them, one after the other, unless given",
        "list": "print the rows and what each is",
    }
)
def matrix(_: Context, row: str = "", list: bool = False) -> None:  # noqa: A002 -- the option's name
    """Walk rows of the lab matrix: set up, Xen, a guest, a second host joins, roll back, identical to the start."""
    if list:
        for known in ROWS.values():
            print(f"{known.name}: {known.release}: {known.summary}; {known.wiring}; {known.disk}")
        return
    try:
        names = [find_row(row).name] if row else [*ROWS]
    except KronosError as error:
        raise Exit(str(error), 2) from error
    # In brackets, as pytest names the case: no row's name is then a part of another's.
    run_tests("lab", " or ".join(f"test_row[{name}]" for name in names), shown=True)


@task
def record(_: Context) -> None:
    """Take the rows walked last into docs/lab-results.json, from which `./inv docs` makes the support matrix."""
    for row in support_matrix.record():
        print(row)


@task(help={"name": "the machine's name", "destroy": "forget its disk too"})
def down(_: Context, name: str = "lab", destroy: bool = False) -> None:
    """Pull a machine's plug."""
    _load(name).power_off()
    if destroy:
        shutil.rmtree(_folder(name))


@task(help={"json": "as JSON"})
def status(_: Context, json: bool = False) -> None:
    """List the machines and the ports of this host by which to reach theirs."""
    machines = [_load(name) for name in _known()]
    if json:
        rows = [{"name": m.name, "running": m.qemu_pid() is not None, "ports": m.ports} for m in machines]
        print(dumps(rows))
        return
    for machine in machines:
        ports = ", ".join(f"{there} at 127.0.0.1:{here}" for there, here in machine.ports.items())
        print(f"{machine.name}\t{'down' if machine.qemu_pid() is None else 'up'}\t{ports}")
