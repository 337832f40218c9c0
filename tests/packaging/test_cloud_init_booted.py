"""docs/examples/cloud-init by each release's own cloud-init, in a root that its own systemd boots.

All of the way but the set-up itself: a root has no boot loader and no NIC, and says so when it is asked to be set up.
"""

import hashlib
import json
import re
import shutil

import pytest
import yaml
from booted_root import booted
from clean_machine import install_base

from kronos_packaging.build_root import clean_root, ensure_root_tar
from kronos_packaging.declarations import REPO
from xapi_shim.base.progress import Reporter

pytestmark = [pytest.mark.packaging, pytest.mark.long, pytest.mark.timeout(2400)]

PACKAGES = ("ca-certificates", "cloud-init", "curl", "dbus", "iproute2", "lvm2", "python3", "systemd-sysv")
PLACE = "http://127.0.0.1:8000"
# The network of a root that is booted is its own, and empty.
SERVER = """\
[Service]
ExecStartPre=ip link set lo up
ExecStart=python3 -m http.server --bind 127.0.0.1 --directory /srv/served 8000
[Install]
WantedBy=multi-user.target
"""
# There is no mirror: what Kronos needs of the distro's is there already.
VENDOR_DATA = "#cloud-config\napt: {preserve_sources_list: true}\nssh_genkeytypes: [ed25519]\n"
FILE = "/etc/xapi-host-setup.yaml"
BOOT_S = 1200.0
OUTPUT = "/var/log/cloud-init-output.log"


def by_file(text):
    """The user data as they are."""
    return text


def by_key(text):
    """The other way of docs/unattended.md: the answers under a key of their own."""
    data = yaml.safe_load(text)
    (answers,) = (one for one in data["write_files"] if one["path"] == FILE)
    data["write_files"].remove(answers)
    data["xapi_host_setup"] = yaml.safe_load(answers["content"])
    (script,) = (one for one in data["write_files"] if one["path"] == "/root/install-xapi")
    assert script["content"].count(f"--answers {FILE}") == 1
    script["content"] = script["content"].replace(f"--answers {FILE}", "--answers cloud-init")
    return "#cloud-config\n" + yaml.safe_dump(data)


def user_data(way, served):
    """Return the example with the repository's address and its keys' checksum, and what `way` makes of it."""
    keys = hashlib.sha256((served / "kronos-archive-keyring.pgp").read_bytes()).hexdigest()
    text = (REPO / "docs/examples/cloud-init/user-data.yaml").read_text()
    return way(text.replace("https://packages.example.org/kronos", PLACE).replace("0" * 64, keys))


@pytest.fixture
def root(target, dist):
    with clean_root(ensure_root_tar(target, (*PACKAGES, *install_base(dist, target)), Reporter())) as root:
        served = root.path / "srv/served"
        shutil.copytree(dist, served)
        for sources in served.glob("*.sources"):
            sources.write_text(re.sub(r"URIs: .*", f"URIs: {PLACE}/apt", sources.read_text()))
        root.write("/etc/systemd/system/served.service", SERVER)
        root.run(["systemctl", "enable", "--quiet", "served.service"])
        for own in (root.path / "etc/apt").glob("sources.list*"):
            shutil.rmtree(own) if own.is_dir() else own.unlink()
        (root.path / "etc/apt/sources.list.d").mkdir()
        root.write("/etc/apt/apt.conf.d/90test", 'APT::Install-Recommends "false";\n')
        yield root


@pytest.mark.parametrize("way", [by_file, by_key])
def test_cloud_init_brings_xapi_and_hands_the_answers_over(way, root, tmp_path):
    seed = "/var/lib/cloud/seed/nocloud"
    root.write(f"{seed}/user-data", user_data(way, root.path / "srv/served"))
    root.write(f"{seed}/meta-data", "instance-id: root-1\nlocal-hostname: from-the-cloud\n")
    root.write(f"{seed}/vendor-data", VENDOR_DATA)
    # Booted is a machine whose cloud-init is done.
    with booted(root.path, tmp_path / "log", BOOT_S) as machine:
        said = machine.read(OUTPUT)
        assert (
            machine.run("dpkg-query", "--show", "--showformat=${db:Status-Status}", "xapi") == "installed"
        ), said
        assert machine.exists(FILE) is (way is by_file)
        assert (
            machine.read("/etc/cloud/cloud.cfg.d/99-disable-network-config.cfg")
            == "network: {config: disabled}\n"
        )
        (document,) = re.findall(r"^\{$.*?^\}$", said, re.MULTILINE | re.DOTALL)
        answer = json.loads(document)
        assert answer["outcome"] == "refused", said
        # What the answers alone ask for: they were read.
        assert "storage-group-missing" in {one["id"] for one in answer["problems"]}, said
