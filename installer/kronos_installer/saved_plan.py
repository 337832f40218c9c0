"""A plan in a file, to be carried out later and unchanged: `plan --save`, `apply --plan`.

The file is one JSON object: `format`, `version` (the tool's), `machine` (machine-id(5)), `wishes`, `steps` with
the originals they were made from, `problems`, `gateways`, and `sha256` over all of that. It is root's alone:
originals may hold keys.

A plan is a pure function of facts and wishes. So a host has not changed, as far as the plan goes, when a plan
made from it now for the same wishes is the same one; what is not the same is named.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kronos_installer.plan import Plan, make_plan
from kronos_installer.problem import Level, Problem, RefusedError
from kronos_installer.steps.file_step import FileStep
from kronos_installer.steps.pool_join_step import PoolJoinStep
from kronos_installer.steps.step import Step, step_from_json, step_to_json
from kronos_installer.wishes_record import wishes_from_record, wishes_to_record
from xapi_shim import __version__
from xapi_shim.base.atomic_file import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kronos_installer.facts import Facts
    from kronos_installer.host_files import HostFiles
    from kronos_installer.steps.step import Record
    from kronos_installer.wishes import Wishes

FORMAT = 1
MODE = 0o600
MOST_BYTES = 64 * 1024 * 1024
_ANEW = "look what changed, then make a new plan"


def save_plan(plan: Plan, files: HostFiles, path: Path) -> None:
    """Write the plan, for root alone. Raises RefusedError where it cannot be written there."""
    body = _body(plan, files)
    record = {**body, "sha256": _digest(body)}
    try:
        write_atomic(path, json.dumps(record, indent=1).encode() + b"\n", mode=MODE)
    except OSError as error:
        title = f"the plan cannot be saved: {error.strerror}"
        raise RefusedError((Problem(Level.ERROR, "plan-not-saved", title, "", f"{path}:1", "name a file in a folder that is "
                            "there and has room"),)) from error  # fmt: skip


def load_plan(path: Path, files: HostFiles, facts: Facts) -> Plan:
    """Return the plan, still right for the host that `facts` are of.

    Raises RefusedError: the file is damaged, not root's alone, of another version or another machine, or the
    host has changed; OSError.
    """
    record = _read(path)
    wishes = _wishes(record, path)
    if record["machine"] != _machine(files):
        raise _refused(path, "saved-plan-other-host", "it was made on another machine", "make a plan here")
    steps = _steps(record, path)
    try:
        problems = tuple(Problem(Level(one["level"]), **_rest(one)) for one in record["problems"])
        saved = Plan(steps, problems, wishes, tuple(record["gateways"]))
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise _damaged(path, repr(error)) from error
    changed = tuple(_differences(saved, make_plan(facts, wishes), path))
    if changed:
        raise RefusedError(changed)
    return saved


def saved_wishes(path: Path) -> Wishes:
    """Return the wishes that a saved plan was made for. Raises RefusedError, OSError."""
    return _wishes(_read(path), path)


def bound_wishes(path: Path) -> Wishes:
    """Return the wishes of a saved plan, of a pool to join with the fingerprint of the certificate that the plan was made with.

    Who shows another one now is not the master that the plan names, and is not to be sent the password to find out.
    Raises RefusedError, OSError.
    """
    record = _read(path)
    wishes = _wishes(record, path)
    steps = _steps(record, path)
    shown = next((step.fingerprint for step in steps if isinstance(step, PoolJoinStep)), "")
    return replace(wishes, pool=replace(wishes.pool, fingerprint=shown)) if wishes.pool and shown else wishes


def _steps(record: Record, path: Path) -> tuple[Step, ...]:
    try:
        return tuple(step_from_json(step) for step in record["steps"])
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise _damaged(path, repr(error)) from error


def _wishes(record: Record, path: Path) -> Wishes:
    try:
        return wishes_from_record(record["wishes"])
    except (KeyError, ValueError, TypeError) as error:
        raise _damaged(path, repr(error)) from error


def _rest(record: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in record.items() if key != "level"}


def _body(plan: Plan, files: HostFiles) -> Record:
    return {
        "format": FORMAT,
        "version": __version__,
        "machine": _machine(files),
        "wishes": wishes_to_record(plan.wishes),
        "steps": [step_to_json(step) for step in plan.steps],
        "problems": [problem.to_json() for problem in plan.problems],
        "gateways": list(plan.gateways),
    }


def _machine(files: HostFiles) -> str:
    return files.read("/etc/machine-id").strip()


def _digest(body: Record) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
                raise _refused(path, "saved-plan-not-safe", "others may read or change it", "make a new plan")
            data = file.read(MOST_BYTES)
    except OSError as error:
        raise _refused(
            path, "saved-plan-missing", f"{error.strerror}", "make it with 'plan --save'"
        ) from error
    try:
        record = json.loads(data)
        body = {key: value for key, value in record.items() if key != "sha256"}
        whole = record["sha256"] == _digest(body)
        said = record["format"], record["version"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, "it is not a saved plan") from error
    if said != (FORMAT, __version__):
        raise _refused(path, "saved-plan-other-version", f"version {said[1]} made it, this is {__version__}",
                       "make a new plan with this version")  # fmt: skip
    if not whole:
        raise _damaged(path, "its digest is not that of its content")
    return body


def _damaged(path: Path, what: str) -> RefusedError:
    return _refused(path, "saved-plan-damaged", what, "make a new plan")


def _refused(path: Path, id_: str, what: str, remedy: str) -> RefusedError:
    title = f"the saved plan cannot be carried out: {what}"
    return RefusedError((Problem(Level.ERROR, id_, title, "", f"{path}:1", remedy),))


def _differences(saved: Plan, now: Plan, path: Path) -> Iterator[Problem]:
    """Yield what a plan made now has other than the saved one."""
    old, new = ({_name(step): step for step in plan.steps} for plan in (saved, now))
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield _changed(f"no longer needed: {old[name].describe()}", path)
        elif name not in old:
            yield _changed(f"needed now, too: {new[name].describe()}", path)
        elif _comparable(old[name]) != _comparable(new[name]):
            yield _changed(f"no longer as planned: {old[name].describe()}", path)
    if [_name(step) for step in saved.steps] != [
        _name(step) for step in now.steps
    ] and old.keys() == new.keys():
        yield _changed("the order of the steps is another one", path)
    for problem in sorted(set(now.problems) ^ set(saved.problems), key=str):
        gone = problem in saved.problems
        yield _changed(
            f"{problem.id}: {problem.title}: {'no longer' if gone else 'now'}", problem.diagnosis or path
        )


def _changed(what: str, where: object) -> Problem:
    title = f"the host has changed since the plan was made: {what}"
    return Problem(Level.ERROR, "host-changed", title, "", str(where), _ANEW)


def _name(step: Step) -> str:
    return f"{step.kind} {step.describe()}"


def _comparable(step: Step) -> Record:
    """Return a step's record. What running programs write (leases) may be newer by now; it is put there as planned."""
    record = step_to_json(step)
    return {**record, "content": ""} if isinstance(step, FileStep) and step.shared else record
