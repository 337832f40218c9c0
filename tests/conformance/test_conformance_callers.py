"""Callers, the limits that they are held to, and questions about the daemon."""

import json
import time

import pytest
import XenAPI
from running_daemon import PASSWORD

from xapi_shim.rpc.callers import Bucket, Callers


def named(running, agent):
    """Return a client that calls itself `agent`."""
    session = XenAPI.Session(running.url, ignore_ssl=True)
    session("transport").user_agent = agent
    session.xenapi.login_with_password("root", PASSWORD, "1.0", agent)
    return session.xenapi


@pytest.fixture
def pool(api):
    (pool,) = api.pool.get_all()
    return pool


def test_who_logs_in_is_recorded(running, api, refused):
    stranger = XenAPI.Session(running.url, ignore_ssl=True)
    stranger("transport").user_agent = "stranger/1"
    refused("SESSION_AUTHENTICATION_FAILED", stranger.xenapi.login_with_password, "root", "x", "1.0", "x")
    client = named(running, "backup/2.5 (nightly)")
    named(running, "backup/2.5 (nightly)")
    ((ref, record),) = [
        (k, v) for k, v in api.Caller.get_all_records().items() if "backup" in v["user_agent"]
    ]
    assert (record["client_ip"], record["auto_registered"]) == ("127.0.0.1", True)
    assert not any("stranger" in one["user_agent"] for one in api.Caller.get_all_records().values())
    assert api.host.get_tracked_user_agents(api.host.get_all()[0])["backup"] == "2.5"
    before = int(api.Caller.query_call_count(ref)), api.Caller.query_token_usage(ref)
    client.pool.get_all()
    client.pool.set_name_label(api.pool.get_all()[0], "p")
    assert int(api.Caller.query_call_count(ref)) == before[0] + 2
    assert api.Caller.query_token_usage(ref) == before[1] + 11
    api.Caller.add_group(ref, "nightly")
    assert api.Caller.get_groups(ref) == ["nightly"]
    assert api.Caller.query_group_call_count("nightly") == api.Caller.query_call_count(ref)
    assert api.Caller.query_group_token_usage("nightly") == api.Caller.query_token_usage(ref)
    assert api.Caller.query_group_call_count("other") == "0"
    refused("INVALID_VALUE", api.Caller.add_group, ref, "")
    (row,) = [row for row in api.Caller.query_all_usage() if row[0] == record["uuid"]]
    assert row[2:4] == ["backup/2.5 (nightly)", "127.0.0.1"]
    api.Caller.remove_group(ref, "nightly")
    assert api.Caller.get_groups(ref) == []
    running.do(lambda: running.daemon.tools.db.set("Caller", ref, "last_access", "20000101T00:00:00Z"))
    running.do(running.daemon.tools.callers.write_access)
    assert str(api.Caller.get_last_access(ref)) != "20000101T00:00:00Z"
    api.Caller.destroy(ref)
    refused("HANDLE_INVALID", api.Caller.get_record, ref)


def caller_args(**fields):
    return {"name_label": "n", "name_description": "", "user_agent": "", "client_ip": "", **fields}


def limit_args(burst, rate):
    return {"name_label": "l", "name_description": "", "burst_size": burst, "fill_rate": rate}


def test_records_by_hand_are_checked(api, refused):
    refused("INVALID_VALUE", api.Caller.create, {})
    assert refused("INVALID_VALUE", api.Caller.create, caller_args(client_ip="1.2.3"))[1:] == [
        "client_ip",
        "1.2.3",
    ]
    # What has a default may be left out.
    ref = api.Caller.create({"client_ip": "2001:DB8::1"})
    record = api.Caller.get_record(ref)
    assert (record["client_ip"], record["auto_registered"]) == ("2001:db8::1", False)
    for burst, rate in ((0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)):
        refused("INVALID_VALUE", api.Rate_limit.create, limit_args(burst, rate))
    limit = api.Rate_limit.create(limit_args(5.0, 1.0))
    refused("INVALID_VALUE", api.Rate_limit.set_fill_rate, limit, 0.0)
    refused("INVALID_VALUE", api.Rate_limit.remove_caller, limit, ref)
    api.Rate_limit.add_caller(limit, ref)
    assert api.Rate_limit.get_callers(limit) == [ref]
    assert api.Caller.get_rate_limit(ref) == limit
    api.Rate_limit.destroy(limit)
    assert api.Caller.get_rate_limit(ref) == "OpaqueRef:NULL"


def test_who_asks_too_much_waits(running, api, pool):
    slow, quick = named(running, "slow/1"), named(running, "quick/1")
    caller = api.Caller.create(caller_args(user_agent="slow/1"))
    limit = api.Rate_limit.create(limit_args(3.0, 2.0))
    registered = next(ref for ref, one in api.Caller.get_all_records().items()
                      if one["user_agent"] == "slow/1" and one["auto_registered"])  # fmt: skip
    api.Caller.destroy(registered)
    api.Rate_limit.add_caller(limit, caller)

    def seconds(client, calls):
        begun = time.monotonic()
        for _ in range(calls):
            client.pool.get_all()
        return time.monotonic() - begun

    # Three at once; each of the other four waits for half a second.
    assert seconds(slow, 7) >= 1.9
    assert seconds(quick, 7) < 1.9
    api.Rate_limit.set_fill_rate(limit, 1000.0)
    api.Rate_limit.set_burst_size(limit, 1000.0)
    assert seconds(slow, 7) < 1.9
    api.Rate_limit.set_burst_size(limit, 1.0)
    api.Rate_limit.set_fill_rate(limit, 0.001)
    api.Rate_limit.remove_caller(limit, caller)
    assert seconds(slow, 7) < 1.9


def test_a_bucket_fills_and_owes():
    bucket = Bucket(burst=10, rate=2, level=10, at=0)
    assert bucket.take(10, 0) == 0
    assert bucket.take(4, 0) == 2
    assert bucket.take(2, 0) == 3
    # Three seconds later nothing is owed, and much later no more than the burst is there.
    assert bucket.take(0, 3) == 0
    assert bucket.take(11, 1000) == 0.5
    assert bucket.take(1e9, 1000) == 60


def test_the_best_fit_counts_and_usage_is_of_the_last_minute(running):
    tools = running.daemon.tools
    now = [0.0]

    def go():
        callers = Callers(tools.db, clock=lambda: now[0])
        by_agent = tools.db.create("Caller", {"user_agent": "a/1"})
        by_address = tools.db.create("Caller", {"client_ip": "192.0.2.1"})
        both = tools.db.create("Caller", {"user_agent": "a/1", "client_ip": "192.0.2.1"})
        assert callers.find("a/1", "192.0.2.1") == both
        assert callers.find("a/1", "192.0.2.2") == by_agent
        assert callers.find("b/1", "192.0.2.1") == by_address
        assert callers.find("b/1", "192.0.2.2") is None
        callers.admit(both, 1)
        now[0] = 30
        callers.admit(both, 10)
        assert callers.usage([both]) == (2, 11)
        now[0] = 61
        assert callers.usage([both]) == (1, 10)
        now[0] = 1000
        assert callers.usage([both, by_agent]) == (0, 0)

    running.do(go)


def test_strangers_records_are_no_more_than_so_many(running, monkeypatch):
    monkeypatch.setattr("xapi_shim.rpc.callers.MAX_REGISTERED", 3)
    tools = running.daemon.tools

    def go():
        kept = tools.db.create("Caller", {"user_agent": "hand", "last_access": "20000101T00:00:00Z"})
        for number in range(10):
            tools.callers.register(f"agent/{number}", "192.0.2.1")
        tools.callers.register("", "192.0.2.1")
        rows = [tools.db.values("Caller", ref) for ref in tools.db.refs("Caller")]
        assert sum(row["auto_registered"] for row in rows) == 3
        assert tools.db.exists("Caller", kept)

    running.do(go)


def test_questions_about_the_daemon(running, api, refused):
    (host,) = api.host.get_all()
    api.Diagnostics.gc_compact(host)
    stats = api.Diagnostics.gc_stats(host)
    assert int(stats["generation_2_collections"]) > 0
    assert int(stats["max_resident_kib"]) > 1000
    counts = api.Diagnostics.db_stats()
    assert counts["host"] == "1"
    assert int(counts["generation"]) > 0
    rows = api.Diagnostics.network_stats(host, {"method": "post"})
    assert {row[0] for row in rows} == {"POST"}
    (row,) = api.Diagnostics.network_stats(host, {"uri": "/RPC2", "method": "POST"})
    assert int(row[2]) > 3
    refused("INVALID_VALUE", api.Diagnostics.network_stats, host, {"colour": "red"})
    timing = api.host.get_diagnostic_timing_stats(host, True)
    assert timing["host.get_all"].endswith("; n = 1]")
    assert "n =" not in api.host.get_diagnostic_timing_stats(host)["host.get_all"]
    told = json.loads(api.host.get_thread_diagnostics(host))
    assert "get_thread_diagnostics" in json.dumps(told["threads"])
    assert told["tasks"]
