"""Debian's python3-os-xenapi, OpenStack's client, against the daemon over verified TLS."""

import json

import pytest
from running_daemon import PASSWORD

from kronos_lab.client_programs import PINS, os_xenapi
from xapi_shim.base.process import run
from xapi_shim.base.progress import Reporter

pytestmark = pytest.mark.clients


def test_an_instances_life(trusted):
    python = os_xenapi(Reporter())
    wish = {"url": trusted.url.removesuffix(":443"), "user": "root", "password": PASSWORD}
    trust = {"SSL_CERT_FILE": str(trusted.paths.server_certificate)}
    run([python, "-W", "ignore", PINS / "nova_style.py"], stdin=json.dumps(wish), env=trust, timeout_s=100)
