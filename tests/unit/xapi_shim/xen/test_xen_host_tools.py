"""Xen's console, keys and idle states: the simulated ones, and xl and xenpm by stand-ins that note their words."""

import stat

import pytest

from xapi_shim.xen.host_tools import SimulatedXenHostTools, XlHostTools
from xapi_shim.xen.interface import XenError

STAND_IN = """#!/bin/sh
echo "$(basename "$0") $*" >> "{log}"
case "$1 $2" in
    "dmesg ") echo "(XEN) Xen version 4.17" ;;
    "dmesg -c") echo "(XEN) Xen version 4.17" ;;
    "set-max-cstate 9") echo "failed to set max C-state (22 - Invalid argument)" >&2; exit 22 ;;
esac
"""


@pytest.fixture
def words(tmp_path, monkeypatch):
    log = tmp_path / "log"
    log.touch()
    for name in ("xl", "xenpm"):
        (tmp_path / name).write_text(STAND_IN.format(log=log))
        (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return lambda: log.read_text().splitlines()


@pytest.fixture(params=["simulated", "xl"])
def tools(request, words):
    return SimulatedXenHostTools() if request.param == "simulated" else XlHostTools()


async def test_xens_console_is_read_and_keys_are_pressed(tools):
    assert "Xen version" in await tools.console(clear=False)
    await tools.send_debug_keys("q")
    await tools.send_debug_keys("*")
    for wrong in ("", "-c", "a b", "a\n"):
        with pytest.raises(XenError):
            await tools.send_debug_keys(wrong)
    assert "Xen version" in await tools.console(clear=True)
    for limit in (None, (1, None), (2, 0)):
        await tools.set_max_cstate(limit)


async def test_the_tools_are_asked_as_their_manuals_say(words):
    tools = XlHostTools()
    await tools.console(clear=False)
    await tools.console(clear=True)
    await tools.send_debug_keys("hq")
    for limit in (None, (1, None), (2, 0)):
        await tools.set_max_cstate(limit)
    with pytest.raises(XenError, match="Invalid argument"):
        await tools.set_max_cstate((9, None))
    assert words() == [
        "xl dmesg",
        "xl dmesg -c",
        "xl debug-keys hq",
        "xenpm set-max-cstate unlimited",
        "xenpm set-max-cstate 1",
        "xenpm set-max-cstate 2 0",
        "xenpm set-max-cstate 9",
    ]
