"""salt-cloud's xen driver, unmodified, through salt's own client."""

import json

import pytest
from running_daemon import PASSWORD

from kronos_lab.client_programs import PINS, python_clients
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = pytest.mark.clients

ADDRESS = "192.0.2.7"


@pytest.fixture
def config(running, tmp_path):
    """Salt's configuration: JSON is YAML too."""
    folder = tmp_path / "salt"
    folder.mkdir()
    provider = {"driver": "xen", "url": running.url, "user": "root", "password": PASSWORD, "ignore_ssl": True}
    profile = {"provider": "kronos", "image": "guest", "clone": True, "deploy": False,
               "storage_repo": "Local storage"}  # fmt: skip
    files = {
        "cloud": {"log_file": str(folder / "log"), "log_level_logfile": "info"},
        "cloud.providers": {"kronos": provider},
        "cloud.profiles": {"small": profile},
        "master": {"root_dir": str(folder), "user": "root"},
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
        (folder / name).chmod(0o600)
    return folder


def play_the_guest_agent(running):
    """Report an address for every guest that has started, as tools inside it would."""
    db = running.daemon.tools.db
    for vm in db.refs("VM"):
        if db.text("VM", vm, "name_label") == "minion" and db.text("VM", vm, "power_state") == "Running":
            metrics = db.text("VM", vm, "guest_metrics")
            if not db.exists("VM_guest_metrics", metrics):
                made = db.create("VM_guest_metrics", {"networks": {"0/ip": ADDRESS}})
                db.set("VM", vm, "guest_metrics", made)


def test_a_minions_life(running, vm, config):
    python = python_clients(Reporter())
    running.do(
        running.daemon.tools.db.on_change, lambda: running.loop.call_soon(play_the_guest_agent, running)
    )
    done = run(
        [python, "-W", "ignore", PINS / "salt_cloud.py"],
        stdin=json.dumps({"config": str(config)}),
        timeout_s=110,
    )
    told = json.loads(done.stdout)
    assert told["before"]["kronos"]["xen"]["guest"]["state"] == "Halted"
    assert "Linux kernel and ramdisk" in told["images"]["kronos"]["xen"]
    made = told["made"]["minion"]
    assert (made["state"], made["private_ips"], made["extra"]["power_state"]) == (
        "Running",
        ADDRESS,
        "Running",
    )
    assert [of_minion(told[step])["state"] for step in ("show_instance", "pause", "unpause", "reboot")] == [
        "Running",
        "Paused",
        "Running",
        "Running",
    ]
    assert told["full"]["kronos"]["xen"]["minion"]["uuid"] == made["id"]
    assert list(of_minion(told["vif_list"])["minion"]) == []
    for function in ("host_list", "pool_list", "sr_list", "pif_list", "template_list"):
        assert told[function]["kronos"]["xen"], function
    assert told["destroyed"]["kronos"]["xen"]["minion"]["destroyed"] is True
    assert list(told["after"]["kronos"]["xen"]) == ["guest"]


def of_minion(told):
    return told["kronos"]["xen"]["minion"]
