"""npm's xen-api 4.7, Xen Orchestra's client, unmodified, over both wire formats."""

import json

import pytest
from running_daemon import PASSWORD

from kronos_lab.client_programs import PINS, npm_clients
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("transport", ["json-rpc", "xml-rpc", "auto"])
def test_session_cache_events_and_tasks(running, transport):
    folder = npm_clients(Reporter())
    wish = {"url": running.url, "user": "root", "password": PASSWORD, "transport": transport}
    run(
        ["node", PINS / "xen_orchestra.mjs", folder],
        stdin=json.dumps(wish),
        timeout_s=100,
        env={"NODE_NO_WARNINGS": "1"},
    )
