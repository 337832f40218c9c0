"""Sets the machine up as far as GRUB goes, and takes it back: run in a mount namespace of its own, with / as the host.

Prints JSON: what boots by itself and what is chosen once, at each stage, and whether /boot is as before at the end.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

from kronos_installer import executor
from kronos_installer.boot_steps import boot_steps, dom0_size
from kronos_installer.detect.grub import read_environment, read_menu
from kronos_installer.facts import Facts, read_facts
from kronos_installer.grub_layout import DEBIAN
from kronos_installer.host import Host, SystemRunner
from kronos_installer.plan import Plan
from kronos_installer.wishes import Wishes
from xapi_shim.base.progress import Reporter


class HostInXen(Host):
    """The machine after its boot into Xen."""

    def runs_xen(self) -> bool:
        return True


def stage(host: Host) -> dict[str, str]:
    menu, environment = read_menu(host, DEBIAN), read_environment(host, DEBIAN)
    default, once = menu.default_entry(environment), environment.get("next_entry", "")
    chosen = menu.resolve(once) if once and menu.once else None
    text = "\n".join(chosen.lines if chosen else default.lines if default else [])
    fallback = re.search("^set fallback=(.*)$", host.read(DEBIAN.menu), re.MULTILINE)
    return {
        "default": default.id if default else "",
        "once": chosen.id if chosen else "",
        "fallback": fallback[1] if fallback else "",
        "lines": text,
    }


def contents() -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mode, path.read_bytes())
        for path in Path("/boot").rglob("*")
        if path.is_file()
    }


def plan_for(facts: Facts) -> Plan:
    # /boot is a folder of this machine's here, on whatever that is.
    plain = replace(facts, boot=replace(facts.boot, environment_obstacle=""))
    return Plan(tuple(boot_steps(plain, dom0_size(plain, 1536, 1))), (), Wishes("", ""))


def main() -> None:
    host = Host(Path("/"), SystemRunner(Path("/")))
    quiet = Reporter(StringIO())
    before = contents()
    said = {"before": stage(host)}
    executor.apply(plan_for(read_facts(host, host.runner)), host, quiet)
    said["tried"] = stage(host)
    host.run(["grub-editenv", DEBIAN.environment, "set", "next_entry="])  # what GRUB does when it obeys
    executor.finish(HostInXen(host.root, host.runner), quiet)
    said["settled"] = stage(host)
    executor.rollback(host, quiet)
    said["rolled_back"] = stage(host)
    json.dump(said | {"same": contents() == before}, sys.stdout)


if __name__ == "__main__":
    main()
