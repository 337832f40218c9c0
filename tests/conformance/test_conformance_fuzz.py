"""Generated calls of every message: whatever the arguments, an answer in form, and no INTERNAL_ERROR.

`./inv test.faults --calls 100` makes more calls of each message.
"""

import os

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.types import Kind
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


def of_type(kind, model, refs):
    """Return a strategy of values that a parameter of this type takes, as wire values."""
    match kind.kind:
        case Kind.INT:
            return st.integers(-(2**63), 2**63 - 1) | st.integers(-1, 3).map(str)
        case Kind.FLOAT:
            return st.floats(allow_nan=False, allow_infinity=False)
        case Kind.BOOL:
            return st.booleans()
        case Kind.ENUM:
            return st.sampled_from(model.enums[kind.name])
        case Kind.REF:
            return st.sampled_from([*refs.get(kind.name, ()), "OpaqueRef:NULL"])
        case Kind.SET:
            return st.lists(of_type(kind.of[0], model, refs), max_size=3)
        case Kind.MAP:
            return st.dictionaries(TEXT, of_type(kind.of[1], model, refs), max_size=3)
        case Kind.DATETIME:
            return st.sampled_from(["20260101T00:00:00Z", "99999999T99:99:99Z", "x"])
        case Kind.RECORD:
            fields = model.classes[kind.name].public_fields if kind.name in model.classes else ()
            values = {f.name: of_type(f.type, model, refs) for f in fields}
            return st.fixed_dictionaries({}, optional=values)
        case _:
            return TEXT


@pytest.mark.timeout(120 + 60 * CALLS)
def test_every_message_answers_whatever_it_is_sent(running):
    tools, dispatcher = running.daemon.tools, running.daemon.dispatcher
    endpoint = Endpoint(tools.db.model, dispatcher)
    session = running.do(
        lambda: tools.sessions.open(
            "f", Role.POOL_ADMIN, originator="", host=tools.host, local=False, pool=True
        )
    )
    names = sorted(set(dispatcher.bound) - set(LEFT_OUT))
    refs = {name: list(table.rows)[:2] for name, table in tools.db.tables.items()}

    def calls(name):
        typed = [of_type(p.type, tools.db.model, refs) for p in dispatcher.bound[name].message.params]
        return st.tuples(st.just(name), st.tuples(*typed).map(list) | st.lists(ANY, max_size=5))

    async def call(name, params):
        outcome = await dispatcher.serve(Request(name, params), Origin(Door.TLS))
        endpoint.xml_answer(outcome)
        return outcome

    @seed(1)
    @settings(max_examples=CALLS * len(names), deadline=None, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.sampled_from(names).flatmap(calls))
    def fuzz(called):
        name, params = called
        message = dispatcher.bound[name].message
        outcome = running.wait(call(name, [session, *params] if message.session else params))
        if isinstance(outcome, Failure):
            assert outcome.description[0] != "INTERNAL_ERROR", (name, params, outcome)

    fuzz()
    assert running.wait(call("pool.get_all", [session])).value
