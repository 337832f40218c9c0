"""Packages built once for the whole session, by what `./inv build` calls, and roots to try them in."""

import pytest
from clean_machine import CleanMachine, install_base

from kronos_packaging import factory
from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import load_target
from xapi_shim.base.progress import Reporter
from xapi_shim.base.system_packages import ensure_packages

TARGETS = ("debian-12", "debian-13")
PLACE = "/srv/kronos"


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
    ensure_packages(factory.SYSTEM_PACKAGES, reporter=Reporter())
    tar = ensure_root_tar(target, install_base(dist, target), Reporter())
    with clean_root(tar) as root:
        machine = CleanMachine(root, target)
        machine.add_repository(dist, PLACE)
        yield machine
