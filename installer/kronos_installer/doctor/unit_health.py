"""systemd's units that a XenAPI host lives by (systemctl(1) show)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_installer.detect.time_sync import TimeService
from kronos_installer.doctor.answer import Answer, ask, error, warning
from kronos_installer.network.stack import BRIDGE, BridgeKind
from kronos_installer.steps.service_step import ServiceStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.host import Runner
    from kronos_installer.journal_state import State
    from kronos_installer.problem import Problem

DAEMON = "xapi.service"
# What Xen's tools are, by distribution: one unit, or one for each.
_XEN = ("xen.service", "xenstored.service", "xenconsoled.service", "xen-init-dom0.service")
_SWITCHES = ("openvswitch-switch.service", "openvswitch.service")
# Who brings up the network at boot, by where the bridge's files are. netplan and ifcfg leave that to one of several.
_NETWORKS = {
    "/etc/network/": "networking.service",
    "/etc/systemd/network/": "systemd-networkd.service",
    "/etc/NetworkManager/system-connections/": "NetworkManager.service",
}
_OTHERS = (
    *_XEN, "xenstored.socket", "xapi-host-guard.service", "xapi-host-settle.service", *_NETWORKS.values(), *_SWITCHES,
    "nftables.service", "firewalld.service", "ufw.service", "netfilter-persistent.service",
)  # fmt: skip
_TIME = {
    TimeService.CHRONY: ("chrony.service", "chronyd.service"),
    TimeService.TIMESYNCD: ("systemd-timesyncd.service",),
    TimeService.NTPD: ("ntpsec.service", "ntp.service", "ntpd.service"),
    TimeService.OPENNTPD: ("openntpd.service",),
}
_SHOW = ("systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState")


@dataclass(frozen=True)
class Needed:
    """Units that this host cannot do without: `enabled` are those that the set-up enabled, `network` who brings it up.

    `by_generator`: netplan has these started at each boot, enabled or not (systemd.generator(7)).
    """

    enabled: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    by_generator: bool = False


def needed_units(state: State) -> Needed:
    """Return what the set-up of a host relies on. Pure."""
    enabled = (step.unit for step in state.steps if isinstance(step, ServiceStep) and step.unit != DAEMON)
    paths = [change.path for step in state.network_steps for change in step.files]
    # What keeps another one's hands off guests' interfaces lies there too, and does not name the bridge.
    bridges = [path for path in paths if BRIDGE in path or path.startswith("/etc/network/")]
    network = [unit for place, unit in _NETWORKS.items() if any(path.startswith(place) for path in bridges)]
    if state.wishes is not None and state.wishes.network_backend is BridgeKind.OPENVSWITCH:
        network += _SWITCHES
    return Needed(tuple(enabled), tuple(network), any(path.startswith("/etc/netplan/") for path in paths))


def read_units(query: Runner, needed: Needed) -> Answer:
    """Ask systemd for all of them."""
    clocks = (unit for units in _TIME.values() for unit in units)
    return ask(query, (*_SHOW, *dict.fromkeys((DAEMON, *_OTHERS, *clocks, *needed.enabled))))


def parse_units(text: str) -> dict[str, dict[str, str]]:
    """Return the properties of each unit by its name: `NAME=value` lines, a blank line between units."""
    found = {}
    for block in text.split("\n\n"):
        values = {name: value for name, _, value in (line.partition("=") for line in block.splitlines())}
        if "Id" in values:
            found[values["Id"]] = values
    return found


def is_running(answer: Answer) -> bool:
    """Tell whether the daemon runs."""
    return parse_units(answer.text).get(DAEMON, {}).get("ActiveState") == "active"


def unit_findings(
    answer: Answer, needed: Needed | None = None, *, under_xen: bool = True
) -> Iterator[Problem]:
    """Yield the daemon's own troubles, those of units that it needs, and others that have failed."""
    if answer.error:
        yield warning("units-unknown", "systemd does not tell how the units are", answer.error,
                      "see why systemctl fails")  # fmt: skip
        return
    units = parse_units(answer.text)
    yield from _daemon(units.get(DAEMON, {}))
    needed = needed or Needed()
    for name in dict.fromkeys((*_OTHERS, *needed.enabled)):
        unit = units.get(name, {})
        if unit.get("ActiveState") == "failed":
            yield error("unit-failed", f"{name} has failed", f"systemctl status {name}",
                        f"journalctl -u {name} -b tells why; then: systemctl restart {name}")  # fmt: skip
        elif name in (*_XEN, *needed.enabled, *needed.network) and unit.get("LoadState") == "masked":
            yield error("unit-masked", f"{name} is masked: nothing can start it", f"systemctl status {name}",
                        f"systemctl unmask {name}, and reboot")  # fmt: skip
        elif unit.get("LoadState") == "loaded":
            yield from _idle(name, unit, needed, under_xen=under_xen)


def _daemon(unit: dict[str, str]) -> Iterator[Problem]:
    if unit.get("LoadState") != "loaded":
        remedies = {
            "masked": f"systemctl unmask {DAEMON} && systemctl enable --now {DAEMON}",
            "not-found": "install xapi-toolstack",
        }
        yield error("service-missing", f"{DAEMON} is {unit.get('LoadState') or 'not known'}", f"systemctl show {DAEMON}",
                    remedies.get(unit.get("LoadState", ""), f"systemctl status {DAEMON} tells why; reinstall "
                    "xapi-toolstack"))  # fmt: skip
        return
    if unit.get("UnitFileState") != "enabled":
        yield error("service-disabled", f"{DAEMON} is {unit.get('UnitFileState') or 'not enabled'}: it does not start "
                    "at boot", f"systemctl is-enabled {DAEMON}", f"systemctl enable {DAEMON}")  # fmt: skip
    if unit.get("ActiveState") != "active":
        yield error("service-not-running", f"{DAEMON} is {unit.get('ActiveState')}", f"systemctl status {DAEMON}",
                    f"journalctl -u {DAEMON} -b tells why; it starts under Xen only")  # fmt: skip


def _idle(name: str, unit: dict[str, str], needed: Needed, *, under_xen: bool) -> Iterator[Problem]:
    """Yield whether a unit that is there is not used."""
    starts = name in needed.network and not needed.by_generator
    if starts and unit.get("UnitFileState") == "disabled":
        yield error("unit-disabled", f"{name} does not start at boot, and the network with it",
                    f"systemctl is-enabled {name}", f"systemctl enable {name}")  # fmt: skip
    runs_always = (*needed.network, *(_XEN if under_xen else ()))
    mounted = name in needed.enabled and name.endswith(".mount")
    if unit.get("ActiveState") == "inactive" and (name in runs_always or mounted):
        yield error("unit-not-running", f"{name} does not run", f"systemctl status {name}",
                    f"journalctl -u {name} -b tells why; then: systemctl start {name}")  # fmt: skip


def clock_unit_findings(answer: Answer, service: TimeService) -> Iterator[Problem]:
    """Yield whether the program that is to keep the clock does not run."""
    units = parse_units(answer.text)
    known = {name: units[name].get("ActiveState") for name in _TIME.get(service, ()) if name in units
             and units[name].get("LoadState") != "not-found"}  # fmt: skip
    if known and not {"active", "activating", "reloading"} & set(known.values()):
        name = next(iter(known))
        yield error("time-not-running", f"{service} does not run: {name} is {known[name]}", f"systemctl status {name}",
                    f"systemctl unmask {name}; systemctl enable --now {name}")  # fmt: skip
