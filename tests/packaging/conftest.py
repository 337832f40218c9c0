"""Packages built once for the whole session, by what `./inv build` calls, and roots to try them in."""

from dataclasses import replace

import pytest
from clean_machine import PLACE, TARGETS, clean_machine

from kronos_packaging import factory
from kronos_packaging.build_deb import build_debs
from kronos_packaging.declarations import load_components, load_target
from kronos_packaging.tree import read_tree
from xapi_shim.base.progress import Reporter


@pytest.fixture(scope="session")
def signing_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("keys") / "signing"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KRONOS_SIGNING_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def dist(tmp_path_factory, signing_home):
    """A whole dist/ for all targets, signed with a key of its own; clients find it at PLACE."""
    folder = tmp_path_factory.mktemp("dist")
    factory.build(list(TARGETS), Reporter(), dist=folder, base_url=f"file://{PLACE}")
    return folder


@pytest.fixture(scope="session", params=TARGETS)
def target(request):
    return load_target(request.param)


@pytest.fixture
def machine(target, dist):
    """A clean machine of the target that has what our packages depend on, and none of them."""
    with clean_machine(target, dist) as machine:
        yield machine


@pytest.fixture(scope="session")
def kronos():
    """This tree's files, as its source packages hold them."""
    (recipe,) = (component.deb for component in load_components() if component.name == "kronos")
    return read_tree(recipe.own_paths)


@pytest.fixture(scope="session")
def built(target, kronos, tmp_path_factory):
    """What dpkg-buildpackage leaves for the target: .deb, .dsc, .changes, .buildinfo."""
    folder = tmp_path_factory.mktemp(f"built-{target.name}")
    build_debs(kronos, target, folder, Reporter())
    return folder


@pytest.fixture(scope="session")
def old_debs(target, kronos, tmp_path_factory):
    """An older version's packages, whose PAM service is not the one of today."""
    folder = tmp_path_factory.mktemp(f"old-{target.name}")
    pam = "debian/xapi-toolstack.xapi.pam"
    older = tuple(replace(f, content=f.content + b"# older\n") if f.path == pam else f for f in kronos)
    assert older != kronos
    build_debs(older, target, folder, Reporter(), extra_version="~old")
    return sorted(folder.glob("*.deb"))
