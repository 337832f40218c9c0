"""HTTP actions: who may call them, and the database's dump, check and restore."""

import base64
import http.client
import ssl

import pytest
from running_daemon import PASSWORD

from xapi_shim.database import dump
from xapi_shim.database.database import Database
from xapi_shim.database.sqlite_store import SqliteStore
from xapi_shim.datamodel.model import Role
from xapi_shim.datamodel.registry import DATAMODEL

DUMP = "/pool/xmldbdump"


@pytest.fixture
def ask(running):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def go(method, path, *, body=None, basic=None):
        headers = {}
        if basic:
            headers["Authorization"] = "Basic " + base64.b64encode(basic.encode()).decode()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", running.daemon.port, context=context, timeout=20
        )
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    return go


def open_as(running, role):
    tools = running.daemon.tools
    return running.do(lambda: tools.sessions.open("s", role, originator="", host=tools.host, local=False))


def test_nobody_is_asked_who_he_is_and_a_low_role_is_refused(running, ask):
    status, headers, _ = ask("GET", DUMP)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Basic realm=")
    for method in ("GET", "PUT"):
        assert ask(method, f"{DUMP}?session_id=OpaqueRef:x")[0] == 401
        assert ask(method, f"{DUMP}?session_id={open_as(running, Role.POOL_OPERATOR)}")[0] == 403
    assert ask("GET", f"{DUMP}?session_id={open_as(running, Role.POOL_ADMIN)}")[0] == 200
    assert ask("GET", DUMP, basic="root:wrong")[0] == 401
    assert ask("GET", DUMP, basic=f"root:{PASSWORD}")[0] == 200
    assert len(running.daemon.tools.db.refs("session")) == 3  # Basic logins leave none behind


def test_a_dump_is_checked_and_restored(running, api, ask):
    (pool,) = api.pool.get_all()
    api.pool.set_name_label(pool, "before\nthe <change>")
    status, headers, document = ask("GET", DUMP, basic=f"root:{PASSWORD}")
    assert (status, headers["Content-Type"]) == (200, "text/xml")
    api.pool.set_name_label(pool, "after")
    where = f"{DUMP}?dry_run=true"
    assert ask("PUT", where, body=document, basic=f"root:{PASSWORD}")[0] == 200
    assert ask("PUT", where, body=document[:-20], basic=f"root:{PASSWORD}")[0] == 400
    unknown = document.replace(b'name="pool"', b'name="Nothing"')
    status, _, told = ask("PUT", where, body=unknown, basic=f"root:{PASSWORD}")
    assert status == 400
    assert b"Nothing" in told
    assert not running.daemon.restart.is_set()
    assert api.pool.get_name_label(pool) == "after"
    assert ask("PUT", DUMP, body=document, basic=f"root:{PASSWORD}")[0] == 200
    assert running.daemon.restart.is_set()
    running.stop()
    db = Database(DATAMODEL, SqliteStore(running.paths.database))
    assert db.text("pool", pool, "name_label") == "before\nthe <change>"
    assert dump.problems(db, dump.parse(document)) == []
    db.close()
    running.start()
