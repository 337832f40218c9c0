"""The machine with Fedora's lay-out: what it is asked to be made of."""

import pytest

from kronos_lab import fedora_boot, fedora_like
from kronos_lab.fedora_stand_ins import stand_in_spec
from kronos_lab.rows import ROWS, Disk
from kronos_lab.second_host import release_for
from xapi_shim.base.process import run


def test_nothing_of_debians_own_network_and_boot_loader_is_asked_for():
    assert {"ifupdown", "grub-pc", "apt-utils"} & {*fedora_like.SPEC.packages} == set()
    assert {"dnf", "rpm", "network-manager", "linux-image-amd64"} <= {*fedora_like.SPEC.packages}


def test_the_stand_in_package_provides_every_name():
    spec = stand_in_spec(("iproute", "python(abi) = 3.14"))
    assert [line for line in spec.splitlines() if line.startswith("Provides")] == [
        "Provides: iproute",
        "Provides: python(abi) = 3.14",
    ]


@pytest.mark.parametrize(
    "script",
    [
        fedora_boot.LAY_OUT,
        fedora_boot.TEN_LINUX,
        fedora_boot.EDITENV,
        fedora_like.DATABASE,
        fedora_like.REMOVE,
    ],
)
def test_its_scripts_are_shell(script):
    run(["bash", "-n"], stdin=script)


def test_its_menu_is_made_by_fedoras_program():
    assert [row.name for row in ROWS.values() if "grub2-mkconfig" in row.make_menu] == ["fedora-like"]
    assert ROWS["fedora-like"].disk is Disk.BLS


def test_its_second_host_has_a_xen_of_the_same_source():
    assert release_for(ROWS["fedora-like"]) == "debian-13"
