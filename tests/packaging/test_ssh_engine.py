"""Packages built on another machine over ssh: here a real sshd of this machine's, with keys of its own."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from build_node import build_node
from clean_machine import unpacked
from tiny_sources import tiny_inputs, tiny_source

from kronos_lab.machine import wait_until
from kronos_packaging.build_deb import BuildError
from kronos_packaging.declarations import load_components, load_target
from kronos_packaging.engine import run_jobs
from kronos_packaging.inputs import Ingredients, Inputs, TargetInputs, plan_targets
from kronos_packaging.local_engine import LocalEngine
from kronos_packaging.ssh_engine import How, NodeError, SshEngine
from kronos_packaging.tree import read_tree
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]

TARGET = load_target("debian-12")
DATA = "tiny-data_1+deb12_all.deb"


@pytest.fixture
def node(tmp_path):
    folder = tmp_path / "node"
    folder.mkdir()
    with build_node(folder) as node:
        yield node


@pytest.fixture
def engine(node):
    return SshEngine(node.node, How.MMDEBSTRAP)


def one_job(source):
    inputs = tiny_inputs(TARGET, tiny=(source, ()))
    (job,) = plan_targets(Inputs((inputs,), {}))
    return job, inputs


def test_a_plan_is_carried_out_on_a_node_in_the_order_of_its_needs(engine, node, tmp_path):
    reads = tiny_source("tiny-user", make="cat /usr/share/tiny-data/data", needs="tiny-data (>= 1)")
    inputs = tiny_inputs(TARGET, user=(reads, ("data",)), data=(tiny_source("tiny-data"), ()))
    jobs = plan_targets(Inputs((inputs,), {}))

    def build(job):
        needed = tuple(tmp_path / need for need in job.needs)
        engine.build(job, inputs, needed, tmp_path / job.component, Reporter())

    run_jobs(jobs, build, 2)
    assert [job.component for job in jobs] == ["data", "user"]
    assert {path.name for path in (tmp_path / "data").iterdir()} == {
        "build.log", DATA, "tiny-data_1+deb12.dsc", "tiny-data_1+deb12.tar.xz",
        "tiny-data_1+deb12_amd64.buildinfo", "tiny-data_1+deb12_amd64.changes",
    }  # fmt: skip
    unpacked(tmp_path / "user/tiny-user_1+deb12_all.deb", tmp_path / "unpacked")
    assert (tmp_path / "unpacked/usr/share/tiny-user/data").read_text() == "one\n"
    assert node.left() == []
    LocalEngine().build(jobs[0], inputs, (), tmp_path / "here", Reporter())
    assert (tmp_path / "here" / DATA).read_bytes() == (tmp_path / "data" / DATA).read_bytes()


def test_this_trees_source_builds_with_nothing_but_what_it_declares(engine, tmp_path):
    (component,) = (component for component in load_components() if component.name == "kronos")
    made_of = Ingredients(component.deb, read_tree(component.deb.own_paths))
    inputs = TargetInputs(TARGET, (component,), {"kronos": made_of})
    (job,) = plan_targets(Inputs((inputs,), {}))
    engine.build(job, inputs, (), tmp_path / "there", Reporter())
    LocalEngine().build(job, inputs, (), tmp_path / "here", Reporter())
    there, here = (
        {path.name: path.read_bytes() for path in (tmp_path / place).glob("*.deb")}
        for place in ("there", "here")
    )
    assert len(here) >= 7
    assert sorted(there) == sorted(here)
    assert [name for name in here if there[name] != here[name]] == []


def test_a_build_that_fails_there_shows_the_end_of_its_log_here(engine, node, tmp_path):
    job, inputs = one_job(tiny_source("tiny", make="echo alas >&2; false"))
    with pytest.raises(BuildError, match=r"(?s)building tiny for debian-12 on node failed.*alas"):
        engine.build(job, inputs, (), tmp_path / "out", Reporter())
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["build.log"]
    assert node.left() == []


def test_a_build_whose_connection_is_cut_ends_on_both_sides(engine, node, tmp_path):
    job, inputs = one_job(tiny_source("tiny", step="echo in the middle; exec tail -f /dev/null"))
    log = tmp_path / "out/build.log"
    with ThreadPoolExecutor() as pool:
        building = pool.submit(engine.build, job, inputs, (), tmp_path / "out", Reporter())

        def in_the_middle():
            if building.done():
                building.result()
            return log.exists() and "\nin the middle" in log.read_text()

        wait_until("the build is under way", in_the_middle, 600)
        node.vanish()
        with pytest.raises(NodeError, match="build node node: the connection was lost"):
            building.result()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["build.log"]
    wait_until("the node has tidied up", lambda: node.left() == [], 60)


def test_a_node_with_another_host_key_is_not_trusted(engine, node, tmp_path):
    shutil.copyfile(node.folder / "user_key.pub", node.folder / "other")
    known = node.folder / "known_hosts"
    known.write_text(f"node {(node.folder / 'other').read_text()}")
    job, inputs = one_job(tiny_source("tiny"))
    with pytest.raises(NodeError, match="Host key verification failed"):
        engine.build(job, inputs, (), tmp_path / "out", Reporter())
    assert list((tmp_path / "out").iterdir()) == []
