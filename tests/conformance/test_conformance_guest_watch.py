"""A change that the hypervisor tells of once reaches the records, whatever gets in the way of the first look."""

import asyncio
from dataclasses import replace

import pytest
from test_conformance_xenapi import events_until

from xapi_shim.xen.interface import RunState, XenError


@pytest.fixture
def guest(api, vm):
    """Return the ref and uuid of a running guest that is to be destroyed when it crashes."""
    api.VM.set_actions_after_crash(vm, "destroy")
    api.VM.start(vm, False, False)
    return vm, api.VM.get_uuid(vm)


def halted(api, vm):
    events_until(api, [f"vm/{vm}"], "", lambda e: e["snapshot"]["power_state"] == "Halted")


def failing(what, times):
    """Return `what`, an asynchronous function of the hypervisor's, failing the first `times`."""
    left = [times]

    async def call(*args, **given):
        if left[0]:
            left[0] -= 1
            raise XenError("the tool did not answer")
        return await what(*args, **given)

    return call


@pytest.mark.parametrize("what", ["domains", "destroy"])
def test_the_hypervisor_does_not_answer_at_first(running, api, guest, what):
    def crash():
        setattr(running.xen, what, failing(getattr(running.xen, what), 2))
        running.xen.guest_crash(guest[1])

    running.do(crash)
    halted(api, guest[0])


def test_a_guest_that_cannot_be_restarted_can_be_started(running, api, guest):
    """What is allowed is that of the state it was left in."""
    api.VM.set_actions_after_crash(guest[0], "restart")

    def crash():
        running.xen.create = failing(running.xen.create, 1)
        running.xen.guest_crash(guest[1])

    running.do(crash)
    events_until(
        api,
        [f"vm/{guest[0]}"],
        "",
        lambda e: e["snapshot"]["power_state"] == "Halted" and "start" in e["snapshot"]["allowed_operations"],
    )
    api.VM.start(guest[0], False, False)


def test_a_domain_dies_slowly_and_goes_without_a_word(running, api, guest):
    def die():
        xen, looks = running.xen, [0]
        gone, domid = xen.domains, xen.domid_of(guest[1])
        last = replace(xen._domains[domid], run_state=RunState.DYING)

        async def domains():
            looks[0] += 1
            return (*(await gone()), last) if looks[0] < 3 else await gone()

        xen.domains = domains
        xen.xl_destroy(guest[1])

    running.do(die)
    halted(api, guest[0])


def test_a_guest_crashes_while_what_was_read_before_is_acted_on(running, api, guest):
    """Look 1 sees a pause; it is read again to be acted on, the guest crashes, and look 2 finds that at work."""

    def pause():
        xen, read, reads, looked = running.xen, running.xen.domains, [0], asyncio.Event()

        async def domains():
            reads[0] += 1
            found = await read()
            if reads[0] == 2:
                xen.guest_crash(guest[1])
                await looked.wait()
            if reads[0] >= 3:
                looked.set()
            return found

        xen.domains = domains
        xen._set(xen.domid_of(guest[1]), RunState.PAUSED)

    running.do(pause)
    halted(api, guest[0])
