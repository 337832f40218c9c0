"""What xl reads, unread again by the rules of libxlu's lexer (libxlu_cfg_l.l, xlu__cfgl_dequote)."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xapi_shim.xen.interface import Disk, DomainConfig, DomainType, InvalidDomainConfigError, Scheduling, Vif
from xapi_shim.xen.xl_config import disk_spec, needed_memory_bytes, quote, render, vif_spec

MIB = 1 << 20
CONFIG = DomainConfig(
    uuid="11111111-2222-3333-4444-555555555555",
    name='a "name" for people',
    domain_type=DomainType.PV,
    memory_static_max_bytes=256 * MIB,
    memory_target_bytes=128 * MIB,
    vcpus_max=4,
    vcpus=2,
    kernel=Path("/boot/guest/vmlinuz"),
    ramdisk=Path("/boot/guest/initrd"),
    cmdline="root=/dev/xvda ro",
    disks=(Disk(Path("/sr/a.qcow2"), "qcow2", "xvda", read_only=False),),
    vifs=(Vif("00:16:3e:00:00:01", "xenbr0", 0, 1500),),
)
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ESCAPE = re.compile(r"""\\(["'\\])""")


def unquote(text: str) -> str:
    """Take a quoted string apart as the lexer does; a backslash may only stand before quotes and itself."""
    match = _STRING.fullmatch(text)
    assert match, text
    assert not re.search(r"\\[^\"'\\]", _ESCAPE.sub("", match[1]))
    return _ESCAPE.sub(r"\1", match[1])


def values(text: str) -> dict[str, str]:
    """Return the assignments, one a line."""
    return dict(line.split(" = ", 1) for line in text.splitlines())


def test_a_whole_configuration():
    assert render(CONFIG) == (
        'name = "11111111-2222-3333-4444-555555555555"\n'
        'uuid = "11111111-2222-3333-4444-555555555555"\n'
        'type = "pv"\n'
        'kernel = "/boot/guest/vmlinuz"\n'
        'ramdisk = "/boot/guest/initrd"\n'
        'cmdline = "root=/dev/xvda ro"\n'
        "memory = 128\n"
        "maxmem = 256\n"
        "vcpus = 2\n"
        "maxvcpus = 4\n"
        'on_poweroff = "preserve"\n'
        'on_reboot = "preserve"\n'
        'on_crash = "preserve"\n'
        'on_watchdog = "preserve"\n'
        'on_soft_reset = "preserve"\n'
        'disk = [ "vdev=xvda,format=qcow2,access=rw,backendtype=qdisk,target=/sr/a.qcow2" ]\n'
        'vif = [ "mac=00:16:3e:00:00:01,bridge=xenbr0,devid=0,mtu=1500" ]\n'
    )


def test_numa_nodes_are_chosen_or_not():
    assert "cpus" not in values(render(CONFIG))
    anywhere = replace(CONFIG, numa_placement=False)
    assert values(render(anywhere))["cpus"] == '"all"'
    assert values(render(replace(anywhere, scheduling=Scheduling(cpus=(1,)))))["cpus"] == '"1"'


def test_shares_of_the_processors():
    found = values(render(replace(CONFIG, scheduling=Scheduling(512, 50, (0, 3)))))
    assert (found["cpu_weight"], found["cap"], found["cpus"]) == ("512", "50", '"0,3"')
    with pytest.raises(InvalidDomainConfigError, match="weight"):
        render(replace(CONFIG, scheduling=Scheduling(weight=0)))


def test_a_guest_with_nothing():
    found = values(render(replace(CONFIG, domain_type=DomainType.PVH, ramdisk=None, disks=(), vifs=())))
    assert (found["type"], found["disk"], found["vif"]) == ('"pvh"', "[]", "[]")
    assert "ramdisk" not in found


@pytest.mark.parametrize(
    "cmdline",
    [
        '"; on_crash="restart',
        "\\",
        "\\\\",
        '"',
        "'",
        '\\"',
        "ends with \\",
        "# no comment",
        "a\\n\\x41",
        "ünï [ ] , ; =",
    ],
)
def test_hostile_command_lines_stay_one_string(cmdline):
    text = render(replace(CONFIG, cmdline=cmdline))
    assert unquote(values(text)["cmdline"]) == cmdline
    assert len(text.splitlines()) == len(render(CONFIG).splitlines())


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_every_text_comes_back(text):
    assert unquote(quote("cmdline", text)) == text


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\r", "\t", "\x7f", "\x1b[2J", "\x85", "\ud800"])
def test_control_characters_are_refused(text):
    with pytest.raises(InvalidDomainConfigError, match="cmdline"):
        render(replace(CONFIG, cmdline=text))


@pytest.mark.parametrize(
    "change",
    [
        {"uuid": "../../etc/passwd"},
        {"uuid": "11111111-2222-3333-4444-55555555555g"},
        {"domain_type": DomainType.HVM},
        {"kernel": None},
        {"memory_target_bytes": 0},
        {"memory_target_bytes": 257 * MIB},
        {"vcpus": 0},
        {"vcpus": 5},
    ],
)
def test_what_xl_cannot_make_is_refused(change):
    with pytest.raises(InvalidDomainConfigError):
        render(replace(CONFIG, **change))


def test_disks():
    cd = Disk(Path("/iso/a,b=c d.iso"), "raw", "xvdd", read_only=True, is_cdrom=True)
    assert disk_spec(cd) == "vdev=xvdd,format=raw,access=ro,devtype=cdrom,target=/iso/a,b=c d.iso"


@pytest.mark.parametrize(
    ("path", "device"),
    [("/a,", "xvda"), ("a", "xvda"), ("/a", "xvda,format=raw"), ("/a", "../xvda"), ("/a", "")],
)
def test_disks_that_would_be_misread_are_refused(path, device):
    with pytest.raises(InvalidDomainConfigError):
        disk_spec(Disk(Path(path), "qcow2", device, read_only=False))


@pytest.mark.parametrize(
    "vif",
    [
        Vif("00:16:3e:00:00:01,script=/tmp/x", "xenbr0", 0),
        Vif("", "xenbr0", 0),
        Vif("00:16:3e:00:00:01", "br0,script=x", 0),
        Vif("00:16:3e:00:00:01", "", 0),
        Vif("00:16:3e:00:00:01", "a" * 16, 0),
        Vif("00:16:3e:00:00:01", "xenbr0", -1),
        Vif("00:16:3e:00:00:01", "xenbr0", 0, 70000),
    ],
)
def test_interfaces_that_would_be_misread_are_refused(vif):
    with pytest.raises(InvalidDomainConfigError):
        vif_spec(vif)


@pytest.mark.parametrize(("kind", "needed_mib"), [(DomainType.PV, 134), (DomainType.PVH, 136)])
def test_memory_is_reckoned_as_libxl_does(kind, needed_mib):
    # 128 MiB, 4 vCPUs of 1 MiB, 256 pages of 4 KiB, 1 or 2 MiB more, up to the next 2 MiB
    assert needed_memory_bytes(replace(CONFIG, domain_type=kind)) == needed_mib * MIB
