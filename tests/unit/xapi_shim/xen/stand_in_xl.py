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
            "max": int(config["maxvcpus"]), "shares": {},
            "disks": re.findall(r"vdev=(\w+)", config["disk"]), "vifs": re.findall(r"devid=(\d+)", config["vif"]),
        }  # fmt: skip
    if "hang" in config["cmdline"]:
        time.sleep(600)


def number(vdev):
    return (202 << 8) + 16 * (ord(vdev[3]) - ord("a"))


def show_devices(state, command, domids):
    key, kind, title = (
        ("disks", "qdisk", "Vdev  BE  handle state evt-ch ring-ref BE-path")
        if command == "block-list"
        else ("vifs", "vif", "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path")
    )
    print(title)
    for domid in domids:
        if domid not in state.all["domains"]:
            print(f"{domid} is an invalid domain identifier", file=sys.stderr)
            continue
        for name in state.get(domid)[key]:
            devid = number(name) if key == "disks" else int(name)
            print(
                f"{devid:<5} 0   {devid:<6} 4     25     768      /local/domain/0/backend/{kind}/{domid}/{devid}  "
            )


def change_devices(domain, command, args):
    kind, verb = command.split("-")
    have = domain["disks" if kind == "block" else "vifs"]
    force = "--force" in args
    args = [arg for arg in args if arg != "--force"]
    if verb == "attach":
        assert kind == "block" or not any("," in arg for arg in args)
        name = re.search(r"(?:vdev|devid)=(\w+)", " ".join(args))[1]
        if name in have:
            fail("libxl: error: libxl_disk.c:343:device_disk_add: Domain 1:device already exists in xenstore")
        have.append(name)
        return
    (name,) = args
    if name not in have:
        fail(f"Error: Device {name} not connected." if kind == "block" else f"Unknown device {name}.")
    held = (HERE / "held").read_text() if (HERE / "held").exists() else ""
    if name == held and not force:
        fail(
            "libxl: error: libxl_device.c:1111: Domain 1:unable to remove device\nlibxl_device_disk_safe_remove failed."
        )
    have.remove(name)


def set_shares(state, command, args):
    if command == "vcpu-pin":
        assert args[1] == "all"
        state.get(args[0])["shares"]["cpus"] = args[2]
    else:
        given = dict(zip(args[::2], args[1::2], strict=True))
        state.get(given.pop("-d"))["shares"].update(given)


def xl(command, *args):  # noqa: C901, PLR0912 -- a table of commands
    if command == "create":
        create(list(args))
        return
    with State() as state:
        if command in ("block-list", "network-list"):
            show_devices(state, command, args)
        elif command.startswith(("block-", "network-")):
            domid = next(arg for arg in args if arg.isdecimal())
            rest = list(args)
            rest.remove(domid)
            change_devices(state.get(domid), command, rest)
        elif command in ("vcpu-pin", "sched-credit2"):
            set_shares(state, command, args)
        elif command == "sysrq":
            assert len(args[1]) == 1
            state.get(args[0])["sysrq"] = args[1]
        elif command == "trigger":
            state.get(args[0])
            if args[1] != "nmi":  # and yet it ends well
                print(
                    f"libxl: error: libxl_domain.c:2207: Domain 1:Send trigger '{args[1]}' failed: Invalid argument",
                    file=sys.stderr,
                )
        elif command == "list":
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
                     "threads_per_core": 1, "cpu_mhz": "2400.000", "xen_commandline": "", "xen_scheduler": "credit2"}  # fmt: skip
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
            assert args[0] == "--ignore-host"
            domain = state.get(args[1])
            if int(args[2]) > domain["max"]:
                fail(
                    f"libxl: error: libxl_sched.c:1: Domain 1:Requested {args[2]} VCPUs, however maximum allowed is 1"
                )
            domain["vcpus"] = int(args[2])
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
