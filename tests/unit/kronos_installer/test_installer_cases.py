"""Golden cases: a folder with what differs from the base host, and what the plan for it is.

`cases/<situation>/host/` is laid over hosts/base; `wishes.json`, where it is there, is what the operator chose;
`master.json` is what the master of the pool to join told;
`plan.diff` holds the diffs of all files that
the plan changes, `refused.txt` the problems that forbid it. Write new ones with
KRONOS_WRITE_CASES=1, then read what was written.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, make_host, snapshot

from kronos_installer.detect.pool_master import PoolHost, PoolMaster
from kronos_installer.facts import read_facts
from kronos_installer.plan import RefusedError, make_plan
from kronos_installer.problem import Level
from kronos_installer.wishes import Wishes
from kronos_installer.wishes_record import wishes_from_record, wishes_to_record
from xapi_shim import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_installer.facts import Facts
    from kronos_installer.host import Host

WISHES = Wishes(
    installation_uuid="11111111-1111-4111-8111-111111111111",
    control_domain_uuid="22222222-2222-4222-8222-222222222222",
)
CASES = sorted(HERE.glob("cases/*"))


def wishes_of(case: Path) -> Wishes:
    asked = case / "wishes.json"
    chosen = json.loads(asked.read_text()) if asked.exists() else {}
    return wishes_from_record(wishes_to_record(WISHES) | chosen)


def facts_of(case: Path, host: Host) -> Facts:
    facts = read_facts(host, host.runner)
    if not (case / "master.json").exists():
        return facts
    told = json.loads((case / "master.json").read_text().replace("VERSION", __version__))
    hosts = tuple(PoolHost(**one) for one in told["hosts"])
    return replace(facts, pool_master=PoolMaster(**told | {"hosts": hosts}))


def answer(case: Path, folder: Path) -> tuple[str, str]:
    host = make_host(folder, case / "host")
    before = snapshot(host)
    try:
        plan = make_plan(facts_of(case, host), wishes_of(case))
    except RefusedError as error:
        errors = [p for p in error.problems if p.level is Level.ERROR]
        return "refused.txt", "".join(
            f"{p.diagnosis}: {p.id}: {p.title}\n".replace(f"Kronos {__version__}", "Kronos VERSION")
            for p in errors
        )
    finally:
        assert snapshot(host) == before
    warnings = [f"# {p.level} {p.diagnosis}: {p.id}: {p.title}" for p in plan.problems]
    steps = [line for step in plan.steps for line in (f"# {step.describe()}", step.diff()) if line]
    return "plan.diff", "\n".join([*warnings, *steps]) + "\n"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_plan_of_a_captured_host(case: Path, tmp_path: Path) -> None:
    name, text = answer(case, tmp_path)
    if os.environ.get("KRONOS_WRITE_CASES"):
        (case / name).write_text(text)
    expected = sorted(
        path.name for path in case.iterdir() if path.name not in ("host", "wishes.json", "master.json")
    )
    assert expected == [name], text
    assert text == (case / name).read_text()


def test_every_refusal_names_file_and_line() -> None:
    for case in CASES:
        if (case / "refused.txt").exists():
            for line in (case / "refused.txt").read_text().splitlines():
                assert line.startswith(("/", "--", "the EFI variable", "192.0.2.10:443")), line
                if "/etc/network/" in line and "bridge-utils" not in line:
                    assert line.split(": ")[0].split(",")[0].rpartition(":")[2].isdigit(), line
