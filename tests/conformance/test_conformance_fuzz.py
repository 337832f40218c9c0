"""Generated calls of every message: whatever the arguments, an answer in form, and no INTERNAL_ERROR.

KRONOS_FUZZ says how many calls of each message are made (CONTRIBUTING.md).
"""

import os

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from xapi_shim.datamodel.model import Role
from xapi_shim.rpc.dispatch import Failure
from xapi_shim.rpc.endpoint import Endpoint
from xapi_shim.rpc.sessions import Door, Origin
from xapi_shim.rpc.wire import Request

CALLS = int(os.environ.get("KRONOS_FUZZ", "1"))

# These wait, or end the session that the rest is called with.
LEFT_OUT = ("event.from", "event.next", "session.logout", "session.local_logout")
TEXT = st.text(max_size=20) | st.sampled_from(
    ["OpaqueRef:NULL", "OpaqueRef:x", "", "\ud800", "\0", "x" * 10_000]
)
SCALAR = TEXT | st.integers() | st.booleans() | st.floats() | st.none()
ANY = st.recursive(
    SCALAR, lambda of: st.lists(of, max_size=3) | st.dictionaries(TEXT, of, max_size=3), max_leaves=6
)


def test_every_message_answers_whatever_it_is_sent(running):
    tools, dispatcher = running.daemon.tools, running.daemon.dispatcher
    endpoint = Endpoint(tools.db.model, dispatcher)
    session = running.do(
        lambda: tools.sessions.open("f", Role.POOL_ADMIN, originator="", host=tools.host, local=False)
    )
    names = sorted(set(dispatcher.bound) - set(LEFT_OUT))
    known = [ref for table in tools.db.tables.values() for ref in list(table.rows)[:2]]

    async def call(name, params):
        outcome = await dispatcher.serve(Request(name, params), Origin(Door.TLS))
        if not isinstance(outcome, Failure):
            endpoint._xml_value(outcome)
        return outcome

    @seed(1)
    @settings(max_examples=CALLS * len(names), deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(names), st.lists(ANY | st.sampled_from(known), max_size=5))
    def fuzz(name, params):
        message = dispatcher.bound[name].message
        outcome = running.wait(call(name, [session, *params] if message.session else params))
        if isinstance(outcome, Failure):
            assert outcome.description[0] != "INTERNAL_ERROR", (name, params, outcome)

    fuzz()
    assert running.wait(call("pool.get_all", [session])).value
