"""Drives salt-cloud's xen driver through salt's own CloudClient; run by the Python that salt is in.

On stdin, JSON: {"config": folder with cloud, cloud.providers, cloud.profiles}. On stdout, JSON: what
each step answered. Any failure ends it with a status other than 0.
"""

import json
import sys

import salt.cloud


def main():
    wish = json.load(sys.stdin)
    client = salt.cloud.CloudClient(path=wish["config"] + "/cloud")
    told = {"before": client.query(), "images": client.list_images("kronos")}
    told["made"] = client.profile("small", names=["minion"])
    for action in ("show_instance", "pause", "unpause", "reboot", "vif_list", "vbd_list"):
        told[action] = client.action(names=["minion"], fun=action)
    told["full"] = client.full_query()
    for function in ("host_list", "pool_list", "sr_list", "pif_list", "template_list", "vdi_list"):
        told[function] = client.action(provider="kronos", fun=function)
    told["destroyed"] = client.destroy(["minion"])
    told["after"] = client.query()
    json.dump(told, sys.stdout, default=str)


if __name__ == "__main__":
    main()
