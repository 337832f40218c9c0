"""What can be declared or asked for is documented."""

import os
import re
import sys
from dataclasses import fields

import pytest

from kronos_packaging.declarations import REPO, Component, Recipe, Target
from xapi_shim.base.process import run

PAGE = (REPO / "docs/packaging.md").read_text()
DECLARATIONS = PAGE[PAGE.index("## Declarations") : PAGE.index("### Add a component")]
FOLDERS = ("packaging/kronos_packaging", "ci/kronos_lab")


@pytest.mark.parametrize("kind", [Component, Recipe, Target])
def test_every_key_of_a_declaration_is_documented(kind):
    rows = [line.split("|")[1] for line in DECLARATIONS.splitlines() if line.startswith("| ")]
    told = {name for row in rows for name in re.findall(r"`\[?(\w+)\]?`", row)}
    assert {field.name for field in fields(kind)} <= told


def test_every_variable_of_the_environment_is_documented():
    files = [REPO / "inv", *(path for path in (REPO / FOLDERS[0]).glob("*.py"))]
    used = {name for path in files for name in re.findall(r"\bKRONOS_[A-Z_]+\b", path.read_text())}
    assert used
    assert {name for name in used if f"`{name}`" not in PAGE} == set()


def tasks():
    told = run([sys.executable, "-m", "invoke", "--list"], cwd=REPO, env={"COLUMNS": "200"}).stdout
    return [
        alias or name for name, alias in re.findall(r"^  ([a-z][\w.-]+)(?: \((\w+)\))?  ", told, re.MULTILINE)
    ]


def test_every_task_says_what_it_does_and_what_its_options_are():
    assert {"build", "ci.matrix", "bench", "test"} <= set(tasks())
    for name in tasks():
        told = run([sys.executable, "-m", "invoke", "--help", name], cwd=REPO, env=dict(os.environ)).stdout
        assert "Docstring:\n  none" not in told, name
        options = told[told.index("Options:") :].splitlines()[1:]
        for number, line in enumerate(options):
            if not line.strip().startswith("-"):
                continue
            described = re.search(r"  -.*?\S\s{2,}\S", line) or options[number + 1].startswith(" " * 8)
            assert described, (name, line)


@pytest.mark.parametrize("name", ["build", "ci.matrix", "bench"])
def test_tasks_for_scripts_speak_json(name):
    assert "--json" in run([sys.executable, "-m", "invoke", "--help", name], cwd=REPO).stdout


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("build", "--target", "plan9"), 2),
        (("build", "--engine", "koji"), 2),
        (("ci.matrix", "--target", "plan9"), 2),
        (("ci.matrix", "--format", "jenkins"), 2),
        (("bench", "build", "--runs", "0"), 2),
        (("bench", "coffee"), 2),
        (("ci.matrix", "--target", "debian-12"), 0),
    ],
)
def test_exit_status(words, status):
    done = run([sys.executable, "-m", "invoke", *words], cwd=REPO, check=False)
    assert (done.returncode, bool(done.stdout)) == (status, status == 0), done
    assert "Traceback" not in done.stderr
