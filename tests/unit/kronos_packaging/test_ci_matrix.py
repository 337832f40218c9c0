"""What CI systems are told: order, keys, and pipeline files that their own schemas accept."""

import json
import re
import sys
from dataclasses import replace
from graphlib import TopologicalSorter

import pytest

from kronos_packaging.ci_matrix import as_json, github, gitlab, matrix
from kronos_packaging.declarations import (
    REPO,
    Component,
    DeclarationError,
    Format,
    Recipe,
    Source,
    declared_targets,
    load_components,
    load_target,
)
from xapi_shim.base.process import run

BOOKWORM, TRIXIE = load_target("debian-12"), load_target("debian-13")
RECIPE = Recipe(Source.TREE, paths=("debian/control",))
COMPONENTS = (
    Component("kronos", needs=("lib",), deb=RECIPE, rpm=RECIPE),
    Component("lib", deb=RECIPE),
    Component("xen", deb=replace(RECIPE, paths=("debian/rules",))),
)
PIPELINES = {"github": REPO / "ci/github/build.yml", "gitlab": REPO / "ci/gitlab/build.yml"}
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


def test_steps_are_in_the_order_of_their_needs():
    (entry,) = matrix([BOOKWORM], COMPONENTS)
    assert [(step.component, step.needs) for step in entry.steps] == [
        ("lib", ()), ("xen", ()), ("kronos", ("lib",)),
    ]  # fmt: skip
    assert entry.command == ("./inv", "build", "--target", "debian-12")


def test_all_that_is_declared_is_in_it():
    targets = [load_target(name) for name in declared_targets()]
    entries = matrix(targets, load_components())
    assert [entry.target for entry in entries] == declared_targets()
    for entry in entries:
        graph = {step.component: step.needs for step in entry.steps}
        assert set(graph) >= set(load_target(entry.target).builds)
        TopologicalSorter(graph).prepare()


def test_the_cache_key_follows_what_is_built():
    def key(target=BOOKWORM, components=COMPONENTS):
        return matrix([target], components)[0].cache_key

    other = (*COMPONENTS[:2], replace(COMPONENTS[2], deb=replace(RECIPE, revision="2")))
    keys = {key(), key(TRIXIE), key(replace(BOOKWORM, pins={"xen": "1"})), key(components=other)}
    assert len(keys) == 4
    assert key() == key()
    assert key().startswith("kronos-debian-12-")


def test_what_cannot_be_ordered_is_refused():
    circle = (replace(COMPONENTS[0], needs=("xen",)), replace(COMPONENTS[2], needs=("kronos",)))
    with pytest.raises(DeclarationError, match="in a circle"):
        matrix([BOOKWORM], circle)


def test_packages_without_apt_are_made_on_a_machine_with_it():
    target = replace(BOOKWORM, format=Format.RPM, builds=("lib",))
    (entry,) = matrix([target], (replace(COMPONENTS[1], rpm=RECIPE),))
    assert entry.runner.image == "debian:12"
    assert matrix([TRIXIE], COMPONENTS)[0].runner.image == "debian:13"


def test_json_is_whole():
    (entry,) = json.loads(as_json(matrix([BOOKWORM], COMPONENTS)))
    assert entry["runner"] == {
        "image": "debian:12",
        "architecture": "amd64",
        "root": True,
        "namespaces": True,
    }
    assert [step["component"] for step in entry["steps"]] == ["lib", "xen", "kronos"]


def test_github_takes_one_line_with_what_its_pipeline_uses():
    told = github(matrix([BOOKWORM, TRIXIE], COMPONENTS))
    assert "\n" not in told
    rows = json.loads(told)["include"]
    assert [row["target"] for row in rows] == ["debian-12", "debian-13"]
    used = set(re.findall(r"matrix\.(\w+)", PIPELINES["github"].read_text().replace("outputs.matrix", "")))
    assert used - {"outputs"} <= set(rows[0])
    assert {"target", "image", "cache_key", "cache_prefix"} <= used


@pytest.mark.parametrize("kind", PIPELINES)
def test_pipelines_are_what_their_schema_says(kind):
    check(kind, PIPELINES[kind])


def test_the_child_pipeline_is_what_its_schema_says(tmp_path):
    child = tmp_path / "packages.yml"
    child.write_text(gitlab(matrix([BOOKWORM, TRIXIE], COMPONENTS)))
    check("gitlab", child)
    assert child.read_text().count("\n  stage: build\n") == 2
    assert 'needs: ["build debian-12", "build debian-13"]' in child.read_text()


def test_the_schema_can_refuse(tmp_path):
    broken = tmp_path / "build.yml"
    broken.write_text(PIPELINES["github"].read_text().replace("runs-on:", "run-on:", 1))
    with pytest.raises(Exception, match="exit status 1"):
        check("github", broken)


def check(kind, path):
    run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[kind], path])


def test_the_signing_key_is_never_an_argument_nor_printed():
    for text in (
        PIPELINES["github"].read_text(),
        gitlab(matrix([BOOKWORM], COMPONENTS)),
    ):
        lines = [line for line in text.splitlines() if "KRONOS_SIGNING_KEY" in line and "#" not in line]
        assert lines
        for line in lines:
            assert not re.search(r"\b(echo|printf)\b[^|]*\$\{?KRONOS_SIGNING_KEY", line), line


@pytest.mark.parametrize("kind", PIPELINES)
def test_pipelines_call_tasks_that_there_are(kind):
    text = PIPELINES[kind].read_text() + gitlab(matrix([BOOKWORM], COMPONENTS))
    listed = run([sys.executable, "-m", "invoke", "--list"], cwd=REPO).stdout
    for name, options in set(re.findall(r"\./inv ([\w.]+)((?: --[\w-]+(?: [^-\s]\S*)?)*)", text)):
        assert f"  {name} " in listed or f" ({name}) " in listed, name
        known = run([sys.executable, "-m", "invoke", "--help", name], cwd=REPO).stdout
        for option in re.findall(r"--[\w-]+", options):
            assert option in known, (name, option)
