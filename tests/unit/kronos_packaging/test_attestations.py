"""Bills of materials and provenance of a package that dpkg-deb really made."""

import json

import pytest

from kronos_packaging.declarations import Recipe, Source, load_target
from kronos_packaging.inputs import Ingredients, TargetInputs
from kronos_packaging.plan import Action, Job
from kronos_packaging.provenance import attest, provenance
from kronos_packaging.sbom import bill_of_materials, read_package
from kronos_packaging.tree import TreeFile
from xapi_shim.base.process import run

BOOKWORM = load_target("debian-12")
CONTROL = """\
Package: hello
Source: greetings (1.0)
Version: 1.0-1
Architecture: all
Maintainer: Kronos maintainers <maintainers@example.org>
Depends: python3 (>= 3.11), qemu-utils | other
Description: greets
"""
BUILDINFO = """\
Format: 1.0
Installed-Build-Depends:
 base-files (= 12.4+deb12u5),
 debhelper (= 13.11.4)
"""


@pytest.fixture
def built(tmp_path):
    tree = tmp_path / "tree/DEBIAN"
    tree.mkdir(parents=True)
    (tree / "control").write_text(CONTROL)
    out = tmp_path / "out"
    out.mkdir()
    run(["dpkg-deb", "--root-owner-group", "--build", tmp_path / "tree", out / "hello_1.0-1_all.deb"])
    (out / "hello_1.0-1_amd64.buildinfo").write_text(BUILDINFO)
    return out


def test_facts_of_a_package(built):
    facts = read_package(built / "hello_1.0-1_all.deb")
    assert (facts.name, facts.version, facts.source) == ("hello", "1.0-1", "greetings")
    assert facts.depends == ("python3", "qemu-utils")


def test_bill_of_materials_is_the_same_twice(built):
    facts = read_package(built / "hello_1.0-1_all.deb")
    text = bill_of_materials(facts, BOOKWORM, 1_795_176_000)
    assert text == bill_of_materials(facts, BOOKWORM, 1_795_176_000)
    told = json.loads(text)
    assert told["metadata"]["component"]["purl"] == "pkg:deb/kronos/hello@1.0-1?arch=all&distro=debian-12"
    assert told["metadata"]["component"]["hashes"] == [{"alg": "SHA-256", "content": facts.sha256}]
    assert {c["name"] for c in told["components"]} == {"python3", "qemu-utils", "greetings"}
    (depends,) = [d["dependsOn"] for d in told["dependencies"] if d["ref"] == "hello"]
    assert set(depends) == {"python3", "qemu-utils", "source:greetings"}


def test_provenance_names_all_that_went_in(built):
    made_of = Ingredients(Recipe(Source.TREE, paths=("debian",)), (TreeFile("a", b"1"),))
    job = Job("hello", "debian-12", Action.BUILD, "", "k" * 24)
    inputs = TargetInputs(BOOKWORM, (), {"hello": made_of})
    attest(job, inputs, built, 1_795_176_000)
    assert sorted(path.name for path in built.glob("*.json")) == [
        "hello_1.0-1_all.cdx.json",
        f"hello_debian-12_{job.key}.provenance.json",
    ]
    told = provenance(job, inputs, built)
    assert [subject["name"] for subject in told["subject"]] == ["hello_1.0-1_all.deb"]
    names = [one["name"] for one in told["predicate"]["buildDefinition"]["resolvedDependencies"]]
    assert names == ["tree", "base-files", "debhelper"]
    other = TargetInputs(BOOKWORM, (), {"hello": Ingredients(made_of.recipe, (TreeFile("a", b"2"),))})
    assert provenance(job, other, built) != told
