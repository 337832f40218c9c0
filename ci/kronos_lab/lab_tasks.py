"""The lab's tasks: machines that stay up between commands."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.exceptions import Exit
from invoke.tasks import task

from kronos_lab.cache import lab_dir
from kronos_lab.image import ensure_image
from kronos_lab.machine import Machine
from kronos_lab.test_tasks import run_tests
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import replace_process
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from invoke.context import Context

STATE = "machine.json"


def _folder(name: str) -> Path:
    return lab_dir() / "machines" / name


def _load(name: str) -> Machine:
    """Return a machine that `lab.up` made. Raises Exit."""
    try:
        state = json.loads((_folder(name) / STATE).read_text())
    except FileNotFoundError:
        raise Exit(f"no machine {name}; make it with: ./inv lab.up --name {name}", 2) from None
    return Machine(
        Path(state["base"]),
        name=name,
        folder=_folder(name),
        ports={int(there): here for there, here in state["ports"].items()},
        segment="lab",
        index=state["index"],
    )


def _running(name: str) -> bool:
    try:
        os.kill(int((_folder(name) / "qemu.pid").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


@task
def image(_: Context) -> None:
    """Make the base disk: Debian 12 as its installer leaves it."""
    print(ensure_image(Reporter()))


@task(help={"name": "the machine's name", "count": "so many machines: NAME, NAME-1, ..."})
def up(_: Context, name: str = "lab", count: int = 1) -> None:
    """Boot machines (made from the base disk on the first time) and wait until they answer."""
    reporter = Reporter()
    try:
        base = ensure_image(reporter)
        for number in range(count):
            own = f"{name}-{number}" if number else name
            if _running(own):
                continue
            machine = Machine(
                base, name=own, folder=_folder(own), extra_ports=(443,), segment="lab", index=number
            )
            with reporter.stage(f"booting {own}"):
                machine.power_on()
                state = {"base": str(base), "ports": machine.ports, "index": number}
                (_folder(own) / STATE).write_text(json.dumps(state))
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


@task
def test(_: Context) -> None:
    """Walk the whole road: build, apt install, host set-up, Xen, guests, and all the way back."""
    run_tests("lab")


@task(help={"name": "the machine's name", "destroy": "forget its disk too"})
def down(_: Context, name: str = "lab", destroy: bool = False) -> None:
    """Stop a machine."""
    if _running(name):
        os.kill(int((_folder(name) / "qemu.pid").read_text()), signal.SIGTERM)
    if destroy:
        shutil.rmtree(_folder(name), ignore_errors=True)


@task(help={"json_output": "as JSON"})
def status(_: Context, json_output: bool = False) -> None:
    """List the machines and how to reach them."""
    rows = []
    for folder in sorted((lab_dir() / "machines").glob("*")):
        if (folder / STATE).exists():
            machine = _load(folder.name)
            rows.append({"name": folder.name, "running": _running(folder.name), "ports": machine.ports})
    if json_output:
        print(json.dumps(rows))
        return
    for row in rows:
        print(f"{row['name']}\t{'up' if row['running'] else 'down'}\t{row['ports']}")
