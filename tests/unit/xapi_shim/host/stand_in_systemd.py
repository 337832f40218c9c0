#!/usr/bin/env python3
"""Stands in for systemd's tools and chronyc where no systemd runs: same words, same outputs, state in a file beside it."""

import json
import sys
import zoneinfo
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = HERE / "state.json"
FIRST = {
    "units": {
        "ssh.service": [True, True, "enabled"],
        "sshd.service": [True, True, "alias"],
        "ssh.socket": [False, False, "disabled"],
        "rsyslog.service": [True, True, "enabled"],
        "systemd-timesyncd.service": [True, True, "enabled"],
        "chrony.service": [True, True, "enabled"],
        "chronyd.service": [True, True, "enabled"],
        "hidden.service": [False, False, "masked"],
    },
    "ntp": True,
    "zone": "Etc/UTC",
    "calls": [],
    "hostname": "",
    "system": "running",
}


def fail(text, status=1):
    print(text, file=sys.stderr)
    sys.exit(status)


def unit(state, name):
    if name not in state["units"]:
        fail(f"Failed to act on unit: Unit file {name} does not exist.", 1)
    return state["units"][name]


def systemctl(state, args):
    options = [a for a in args if a.startswith("-")]
    verb, *names = [a for a in args if not a.startswith("-")]
    match verb:
        case "list-unit-files":
            rows = [(n, state["units"][n][2]) for n in names if n in state["units"]]
            for name, kind in rows:
                print(f"{name} {kind} enabled")
            sys.exit(0 if rows else 1)
        case "show":
            known = state["units"].get(names[0])
            print("active" if known and known[0] else "inactive")
        case "enable" | "disable" | "start" | "stop":
            one = unit(state, names[0])
            on = verb in ("enable", "start")
            if verb in ("start", "stop") or "--now" in options:
                one[0] = on
            if verb in ("enable", "disable"):
                one[1], one[2] = on, "enabled" if on else "disabled"
        case "try-restart":
            if unit(state, names[0])[0] and (HERE / "refuse-restart").exists():
                (HERE / "refuse-restart").unlink()
                fail(f"Job for {names[0]} failed.")
        case "daemon-reload":
            pass
        case _:
            go_down(state, verb)


def go_down(state, verb):
    match verb:
        case "poweroff" | "reboot":
            state["system"] = "running" if (HERE / "refuse-going-down").exists() else "stopping"
            if (HERE / "cut-bus").exists():
                fail("Call to Reboot failed: Connection reset by peer")
        case "is-system-running":
            print(state["system"])
            sys.exit(0 if state["system"] == "running" else 1)
        case _:
            fail(f"Unknown command verb {verb}.")


def timedatectl(state, args):
    match args:
        case ["show"]:
            print(f"Timezone={state['zone']}\nLocalRTC=no\nCanNTP=yes\nNTP={'yes' if state['ntp'] else 'no'}")
            print(f"NTPSynchronized={'yes' if state['ntp'] else 'no'}")
        case ["set-time", _]:
            if state["ntp"]:
                fail("Failed to set time: Automatic time synchronization is enabled")
        case ["set-timezone", zone]:
            if zone not in zoneinfo.available_timezones():
                fail(f"Failed to set time zone: Invalid or not installed time zone '{zone}'")
            state["zone"] = zone
        case ["set-ntp", on]:
            state["ntp"] = on == "true"
        case ["show-timesync"]:
            print("SystemNTPServers=a.example b.example\nFallbackNTPServers=0.debian.pool.ntp.org")
            print("ServerName=b.example\nServerAddress=192.0.2.7")
        case _:
            fail(f"Unknown command verb {args}.")


def main():
    state = json.loads(STATE.read_text()) if STATE.exists() else FIRST
    name, args = Path(sys.argv[0]).name, sys.argv[1:]
    state["calls"].append([name, *args])
    try:
        match name:
            case "systemctl":
                systemctl(state, args)
            case "timedatectl":
                timedatectl(state, args)
            case "hostnamectl":
                state["hostname"] = args[-1]
            case "journalctl":
                print(f"2026-11-21T09:00:00+0000 host hostnamed: {state['hostname']}")
            case "systemd-run":
                if (HERE / "refuse-grub").exists():
                    fail("/usr/sbin/grub-probe: error: no such disk.")
            case "chronyc":
                print(
                    "^,*,a.example,2,6,377,35,0.1,0.2,0.3\n^,?,b.example,0,6,0,4294967295,0,0,0\n#,-,PPS0,0,4,0,0,0,0,0"
                )
    finally:
        STATE.write_text(json.dumps(state))


main()
