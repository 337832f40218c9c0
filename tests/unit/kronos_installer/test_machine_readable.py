"""What programs read: progress as its schema says, every step begun and ended, the schemas as published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from installer_kit import FakeCommands, make_host

from kronos_installer.main import main
from kronos_installer.progress_schema import progress_schema
from kronos_lab.docs_tasks import ANSWERS_SCHEMA, PROGRESS_SCHEMA, made_schema

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("path", "module"), [(ANSWERS_SCHEMA, "answer_schema"), (PROGRESS_SCHEMA, "progress_schema")]
)
def test_the_published_schema_is_the_programs(path: Path, module: str) -> None:
    assert path.read_text() == made_schema(module), "run ./inv docs"
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.parametrize("broken", [set(), {"grub-mkconfig"}], ids=["all well", "a step fails"])
def test_every_step_is_told(tmp_path: Path, capsys, broken: set[str]) -> None:
    host = make_host(tmp_path)
    assert isinstance(host.runner, FakeCommands)
    host.runner.broken |= broken
    status = main(["apply", "--yes", "--json", "--root", str(host.root)], runner=host.runner)
    assert status == (1 if broken else 0)
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    for record in told:
        jsonschema.validate(record, progress_schema())
    steps = [record for record in told if "number" in record and record["total"] == told[0]["total"]]
    assert [record["number"] for record in steps[:2]] == [1, 1]
    begun = [record["text"] for record in told if record["event"] == "start"]
    ended = [record["text"] for record in told if record["event"] in ("done", "failed")]
    assert sorted(begun) == sorted(ended)
    assert any(record["event"] == "failed" for record in told) == bool(broken)
    if not broken:
        assert {record["number"] for record in steps} == set(range(1, told[0]["total"] + 1))


def test_other_lines_are_not_progress() -> None:
    for record in (
        {"event": "start"},
        {"event": "done", "text": "a"},
        {"event": "info", "text": "a", "number": 1},
    ):
        assert not jsonschema.Draft202012Validator(progress_schema()).is_valid(record)


@pytest.mark.parametrize(
    ("words", "status", "outcome"),
    [
        (["plan", "--storage", "tape:x"], 2, "wrong usage"),
        (["plan", "--answers", "/nowhere"], 3, "refused"),
        (["plan", "--dom0-mem", "900G"], 3, "refused"),
        (["plan", "--save", "/nowhere/plan"], 3, "refused"),
        (["apply", "--yes", "--plan", "/nowhere"], 3, "refused"),
    ],
)
def test_failures_are_documents_too(
    tmp_path: Path, capsys, words: list[str], status: int, outcome: str
) -> None:
    host = make_host(tmp_path)
    assert main([*words, "--json", "--root", str(host.root)], runner=host.runner) == status
    assert json.loads(capsys.readouterr().out)["outcome"] == outcome
