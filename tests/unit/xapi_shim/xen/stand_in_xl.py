#!/usr/bin/env python3
"""Stands in for xl, xenstore-watch and xenstore-read where there is no Xen: same words, same outputs.

Called by one of these names; domains live in a file beside it. It checks what xl would.
"""

import fcntl
import json
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = HERE / "state.json"
TOTAL_MIB, DOM0_MIB = 1024, 256
LETTERS = "-rscwS"


def fail(text, status=1):
    print(text, file=sys.stderr)
    sys.exit(status)


class State:
    def __enter__(self):
        self.lock = (HERE / "lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.all = json.loads(STATE.read_text()) if STATE.exists() else {"last": 0, "domains": {}}
        self.before = json.dumps(self.all)
        return self

    def __exit__(self, *_):
        if json.dumps(self.all) != self.before:
            STATE.write_text(json.dumps(self.all))
        self.lock.close()

    def get(self, domid):
        if domid not in self.all["domains"]:
            fail(f"{domid} is an invalid domain identifier (rc=-6)")
        return self.all["domains"][domid]


def free_mib(state):
    return TOTAL_MIB - DOM0_MIB - sum(d["memory"] for d in state.all["domains"].values())


def show(domid, d):
    flags = "--p---" if d["paused"] else "-b----"
    reason = "-"
    if d["reason"] is not None:
        flags, reason = f"---s{LETTERS[d['reason']]}-", f"{d['reason']:x}"
    name, mib, vcpus = d["name"], d["memory"], d["vcpus"]
    line = (
        f"{name:<40} {domid:>5} {mib:5} {vcpus:5}     {flags}  {1.5:8.1f} {d['uuid']} {reason:>8} {'-':>16}"
    )
    print(line)


def create(args):
    text = Path(args[args.index("-f") + 1]).read_text()
    config = dict(re.findall(r"^(\w+) = (.*)$", text, re.MULTILINE))
    uuid = config["uuid"].strip('"')
    assert "-e" in args
    assert config["on_poweroff"] == '"preserve"'
    with State() as state:
        if any(d["uuid"] == uuid for d in state.all["domains"].values()):
            fail(f'libxl: error: libxl_domain.c:81: Domain 9:Domain with name "{uuid}" already exists.')
        if "break" in config["cmdline"]:
            fail("libxl: error: libxl_create.c:1: Domain 9:cannot (re-)build domain: -3")
        if "full" in config["cmdline"]:
            fail("xc: error: panic: xg_dom_boot.c:120: can't allocate low memory for domain: Out of memory")
        state.all["last"] += 1
        memory, vcpus = int(config["memory"]), int(config["vcpus"])
        state.all["domains"][str(state.all["last"])] = {
            "name": uuid, "uuid": uuid, "memory": memory, "vcpus": vcpus, "paused": "-p" in args, "reason": None,
        }  # fmt: skip
    if "hang" in config["cmdline"]:
        time.sleep(600)


def xl(command, *args):  # noqa: C901 -- a table of commands
    if command == "create":
        create(list(args))
        return
    with State() as state:
        if command == "list":
            print(
                "Name                 ID   Mem VCPUs\tState\tTime(s)   UUID        Reason-Code\tSecurity Label"
            )
            zero = "00000000-0000-0000-0000-000000000000"
            dom0 = {"name": "Domain-0", "memory": DOM0_MIB, "vcpus": 2, "uuid": zero}
            show("0", {**dom0, "paused": False, "reason": None})
            for domid, d in state.all["domains"].items():
                show(domid, d)
        elif command == "info":
            facts = {"xen_version": "4.17.0", "virt_caps": "pv hvm hap", "xen_caps": "xen-3.0-x86_64",
                     "total_memory": TOTAL_MIB, "free_memory": free_mib(state), "nr_cpus": 2, "cores_per_socket": 2,
                     "threads_per_core": 1, "cpu_mhz": "2400.000", "xen_commandline": ""}  # fmt: skip
            print("\n".join(f"{key:<23}: {value}" for key, value in facts.items()))
        elif command in ("pause", "unpause") and args[0] not in state.all["domains"]:
            # libxl complains, and xl ends well all the same
            print(
                f"libxl: error: libxl_domain.c:1: Domain {args[0]}:Failed to {command} domain",
                file=sys.stderr,
            )
        elif command in ("pause", "unpause"):
            state.get(args[0])["paused"] = command == "pause"
        elif command in ("shutdown", "reboot"):
            print("Shutting down domain", args[0], file=sys.stderr)
            state.get(args[0])["reason"] = int(command == "reboot")
        elif command == "destroy":
            state.get(args[0])
            del state.all["domains"][args[0]]
        elif command == "vcpu-set":
            state.get(args[0])["vcpus"] = int(args[1])
        elif command == "mem-set":
            state.get(args[0])["memory"] = int(args[1].removesuffix("m"))
        elif command == "stop":  # no command of xl's: what a guest does by itself
            state.get(args[0])["reason"] = int(args[1])
        else:
            fail(f"command not implemented: {command}", 2)


def watch():
    with (HERE / "watches").open("a") as starts:
        starts.write("x")
    print("@introduceDomain\n@releaseDomain", flush=True)
    old = STATE.read_bytes() if STATE.exists() else b""
    while not (HERE / "watcher-dies").exists():
        time.sleep(0.01)
        new = STATE.read_bytes() if STATE.exists() else b""
        if new != old:
            print("@releaseDomain", flush=True)
        old = new
    (HERE / "watcher-dies").unlink()
    sys.exit(1)


if __name__ == "__main__":
    program = Path(sys.argv[0]).name
    if program == "xl":
        xl(*sys.argv[1:])
    elif program == "xenstore-watch":
        watch()
    elif program == "xenstore-read":
        found = re.fullmatch(r"/local/domain/(\d+)/console/tty", sys.argv[1])
        with State() as everything:
            if not found or found[1] not in everything.all["domains"]:
                fail(f"xenstore-read: couldn't read path {sys.argv[1]}")
        print("/dev/pts/7")
