"""The same source gives the same packages to the bit, whatever surrounds the build."""

import hashlib
import shutil
from dataclasses import replace

import pytest

from kronos_packaging import factory
from kronos_packaging.build_deb import Surroundings, build_source
from kronos_packaging.build_rpm import build_spec
from kronos_packaging.declarations import Format, load_target
from kronos_packaging.inputs import read_inputs
from kronos_packaging.local_engine import deb_source
from kronos_packaging.rpm_source import tree_source
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(3600)]

ELSEWHERE = Surroundings(
    folder="/srv/somewhere/else/rather/deep",
    user=1234,
    env={"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C", "LANGUAGE": "et_EE:et", "USER": "somebody"},
    jobs=3,
    days_ahead=400,
)
# faketime(1) shifts the times that cp -p and install -p hand on, and Xen's sources are older than its changelog
# entry: what was built at another time of the real clock is compared.
XEN_ELSEWHERE = replace(ELSEWHERE, days_ahead=0)
# rpmbuild writes the spec with all its paths into source packages: every root builds in the same folder of its own.
RPM_ELSEWHERE = replace(ELSEWHERE, folder=Surroundings().folder)
# What dpkg writes about the build itself.
ABOUT_THE_BUILD = (".log", ".buildinfo", ".changes")


def published(folder):
    return {p.name: p for p in folder.iterdir() if not p.name.endswith(ABOUT_THE_BUILD)}


def assert_identical(one, two):
    one, two = published(one), published(two)
    assert one.keys() == two.keys()
    assert any(name.endswith((".deb", ".rpm")) for name in one)
    differ = [n for n in one if digest(one[n]) != digest(two[n])]
    if differ:
        ensure_packages(["diffoscope-minimal"], reporter=Reporter())
        options = ["--text", "-", "--max-report-size", "20000"]
        told = run(["diffoscope", *options, one[differ[0]], two[differ[0]]], check=False)
        pytest.fail(f"{', '.join(differ)} differ:\n{told.stdout}")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Xen is compiled for a quarter of an hour.
XEN = pytest.param("debian-12", "xen", marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("target", "component"),
    [("debian-12", "kronos"), ("debian-13", "kronos"), ("fedora-44", "kronos"), XEN],
)
def test_built_elsewhere_it_is_the_same(target, component, tmp_path):
    inputs = read_inputs([target], factory.DIST, Reporter(), tolerant=True).of(target)
    factory.build([target], Reporter(), dist=tmp_path / "dist", tolerant=True)
    cached = factory.built_folder(load_target(target), component, inputs.key(component))
    there = tmp_path / "elsewhere"
    around = XEN_ELSEWHERE if component == "xen" else ELSEWHERE
    if inputs.target.format is Format.RPM:
        source = tree_source(inputs.ingredients[component].files)
        build_spec(source, inputs.target, there, Reporter(), RPM_ELSEWHERE)
    else:
        build_source(deb_source(component, inputs), inputs.target, there, Reporter(), around)
    kept = tmp_path / "cached"
    kept.mkdir()
    for path in cached.iterdir():
        if not path.name.endswith(".json"):
            shutil.copyfile(path, kept / path.name)
    assert_identical(kept, there)


def test_a_difference_is_found_and_shown(tmp_path):
    for name, text in (("one", "alpha\n"), ("two", "beta\n")):
        tree = tmp_path / f"tree-{name}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(
            "Package: x\nVersion: 1\nArchitecture: all\nMaintainer: M <m@example.org>\nDescription: x\n"
        )
        (tree / "note").write_text(text)
        (tmp_path / name).mkdir()
        run(["dpkg-deb", "--root-owner-group", "--build", tree, tmp_path / name / "x_1_all.deb"])
    with pytest.raises(pytest.fail.Exception, match=r"(?s)x_1_all\.deb differ:.*alpha.*beta"):
        assert_identical(tmp_path / "one", tmp_path / "two")
