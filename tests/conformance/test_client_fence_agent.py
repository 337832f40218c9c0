"""Debian's fence_xenapi, unmodified, told on stdin what to do, as Pacemaker tells it."""

import pytest
import XenAPI
from running_daemon import PASSWORD

from kronos_lab.client_programs import fence_agent
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = pytest.mark.clients


@pytest.fixture
def fence(trusted):
    agent = fence_agent(Reporter())

    def act(action, **words):
        told = {
            "action": action,
            "session_url": trusted.url,
            "username": "root",
            "password": PASSWORD,
            **words,
        }
        lines = "".join(f"{name}={value}\n" for name, value in told.items())
        # The certificate is its own authority: what SSL_CERT_FILE names is what the agent trusts.
        trust = {"SSL_CERT_FILE": str(trusted.paths.server_certificate)}
        return run([agent], stdin=lines, env=trust, check=False, timeout_s=60)

    return act


@pytest.fixture
def guest(trusted):
    session = XenAPI.Session(trusted.url, ignore_ssl=True)
    session.xenapi.login_with_password("root", PASSWORD, "1.0", "tests")
    api = session.xenapi
    (template,) = api.VM.get_by_name_label("Linux kernel and ramdisk")
    ref = api.VM.clone(template, "node")
    api.VM.set_is_a_template(ref, False)
    api.VM.set_PV_kernel(ref, "/boot/guest/vmlinuz")
    return api, ref


def test_a_node_is_fenced(fence, guest):
    api, ref = guest
    uuid = api.VM.get_uuid(ref)
    assert f"{uuid},node\n" in fence("list").stdout
    off = fence("status", port="node")
    assert (off.returncode, "OFF" in off.stdout) == (2, True), off
    on = fence("on", port="node")
    assert (on.returncode, api.VM.get_power_state(ref)) == (0, "Running"), on
    assert fence("status", port="node").returncode == 0
    domid = api.VM.get_domid(ref)
    assert "Rebooted" in fence("reboot", port="node").stdout
    assert api.VM.get_power_state(ref) == "Running"
    assert api.VM.get_domid(ref) != domid
    # It must die even when it hangs.
    assert "Powered OFF" in fence("off", port="node").stdout
    assert api.VM.get_power_state(ref) == "Halted"
    assert fence("monitor").returncode == 0


def test_what_is_wrong_is_said(fence, guest):
    assert fence("status", port="nobody").returncode not in (0, 2)
    assert fence("status", port="node", password="wrong").returncode == 1
