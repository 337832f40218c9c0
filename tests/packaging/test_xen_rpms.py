"""rpm/xen.spec, built in the stand-in root from Debian's source of the same branch: nothing of it is published."""

import pytest

from kronos_lab.xen_rpms import debians_xen
from kronos_packaging.build_rpm import build_spec
from kronos_packaging.consistency import read_rpm
from kronos_packaging.declarations import load_target
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.long, pytest.mark.timeout(3600)]

PACKAGES = {"xen", "xen-devel", "xen-doc", "xen-hypervisor", "xen-libs", "xen-licenses", "xen-runtime"}
# A file of each package that somebody would miss.
HELD = {
    "xen": "usr/lib/systemd/system/xendomains.service",
    "xen-devel": "usr/include/libxl.h",
    "xen-libs": "usr/lib64/libxenlight.so.4.20",
    "xen-runtime": "usr/bin/xl",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """What rpmbuild leaves; it fails by itself for a file that no package holds."""
    folder = tmp_path_factory.mktemp("xen")
    with debians_xen(Reporter()) as source:
        build_spec(source, load_target("fedora-44"), folder / "out", Reporter())
    return folder / "out"


def test_it_makes_the_packages_that_fedora_has(built):
    paths = [path for path in built.glob("*.rpm") if not path.name.endswith(".src.rpm")]
    contents = {one.name: one for one in map(read_rpm, paths)}
    assert set(contents) == PACKAGES
    for name, place in HELD.items():
        assert place in contents[name].places, (name, sorted(contents[name].places))
    assert "xen-hypervisor-abi" in contents["xen-runtime"].depends


def test_the_hypervisor_has_shadow_paging(built):
    (package,) = built.glob("xen-hypervisor-*.x86_64.rpm")
    listed = run(["rpm", "-qlp", "--nosignature", package]).stdout.split()
    assert any(name.startswith("/boot/xen-4.20") and name.endswith(".gz") for name in listed)
    run(["sh", "-c", f"rpm2cpio {package.name} | cpio --extract --quiet --make-directories"], cwd=built)
    (config,) = (built / "boot").glob("xen-*.config")
    assert "CONFIG_SHADOW_PAGING=y" in config.read_text().splitlines()
