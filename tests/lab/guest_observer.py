"""Runs on the lab machine: writes when Xen said that something happened, and when the API said so.

One clock for both, so the emulation's own slowness on the way to a client outside is left out.
Prints JSON lines: {"at": seconds, "xen": true} and {"at": seconds, "uuid", "state", "domid"}.
"""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

from xapi_shim.cli.rpc import Client

SOCKET = Path("/var/lib/xcp/xapi")
LOCK = threading.Lock()


def tell(**what):
    with LOCK, Path(sys.argv[1]).open("a") as file:
        file.write(json.dumps({"at": time.time(), **what}) + "\n")


def follow_xen():
    watch = ["xenstore-watch", "@releaseDomain"]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, text=True) as told:
        for _ in told.stdout:
            tell(xen=True)


def follow_api():
    client = Client.local(SOCKET)
    client.login("", "")
    token = ""
    while True:
        batch = client.call("event.from", ["vm"], token, 30.0)
        token = batch["token"]
        for event in batch["events"]:
            if event["operation"] != "del":
                vm = event["snapshot"]
                tell(uuid=vm["uuid"], state=vm["power_state"], domid=vm["domid"])


if __name__ == "__main__":
    threading.Thread(target=follow_xen, daemon=True).start()
    follow_api()
