"""What scripts written long ago and people of ill will send: none of it stalls the daemon or reaches what is others'."""

import time

import pytest
from running_daemon import PASSWORD
from test_conformance_wire import rpc

from xapi_shim.datamodel.model import Role


@pytest.fixture
def ref(running):
    return rpc(running, "session.login_with_password", "root", PASSWORD)["result"]


@pytest.fixture
def as_role(running):
    """Return a session of a user of the given role."""
    tools = running.daemon.tools

    def open_one(role, user="someone"):
        return running.do(
            lambda: tools.sessions.open(user, role, originator="", host=tools.host, local=False)
        )

    return open_one


def test_a_huge_set_does_not_stall_the_daemon(running, ref):
    (vm,) = rpc(running, "VM.get_by_name_label", ref, "Linux kernel and ramdisk")["result"]
    tags = [f"{n:x}" for n in range(38_000)]
    began = time.monotonic()
    assert rpc(running, "VM.set_tags", ref, vm, [*tags, "0", "1"])["error"] is None
    # The square of their number took a quarter of a minute.
    assert time.monotonic() - began < 5
    assert rpc(running, "VM.get_tags", ref, vm)["result"] == tags


def test_a_filter_may_name_thousands_of_objects(running, ref):
    (host,) = rpc(running, "host.get_all", ref)["result"]
    uuid = rpc(running, "host.get_uuid", ref, host)["result"]
    others = [f'field "uuid" = "{n}"' for n in range(3000)]
    several = " or ".join([*others, f'field "uuid" = "{uuid}"'])
    assert rpc(running, "host.get_all_where", ref, several)["result"] == [host]
    assert rpc(running, "host.get_all_where", ref, f"{several} and false")["result"] == []
