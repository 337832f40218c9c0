"""systemd's units that a XenAPI host lives by (systemctl(1) show)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_installer.problem import Problem

DAEMON = "xapi.service"
_OTHERS = (
    "xen.service", "xenstored.service", "xenconsoled.service", "xen-init-dom0.service", "xenstored.socket",
    "xapi-host-guard.service", "xapi-host-settle.service", "networking.service", "systemd-networkd.service",
    "NetworkManager.service", "openvswitch-switch.service", "openvswitch.service", "nftables.service",
    "firewalld.service", "ufw.service", "netfilter-persistent.service",
)  # fmt: skip
SHOW = ("systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", DAEMON, *_OTHERS)


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


def unit_findings(answer: Answer) -> Iterator[Problem]:
    """Yield the daemon's own troubles, and units of those that it needs which have failed."""
    if answer.error:
        yield warning(
            "units-unknown",
            "systemd does not tell how the units are",
            answer.error,
            "see why systemctl fails",
        )
        return
    units = parse_units(answer.text)
    daemon = units.get(DAEMON, {})
    if daemon.get("LoadState") != "loaded":
        yield error("service-missing", f"{DAEMON} is {daemon.get('LoadState') or 'not known'}", f"systemctl show {DAEMON}",
                    "install xapi, or 'systemctl unmask xapi.service'")  # fmt: skip
        return
    if daemon.get("UnitFileState") != "enabled":
        yield error("service-disabled", f"{DAEMON} is {daemon.get('UnitFileState') or 'not enabled'}: it does not start "
                    "at boot", f"systemctl is-enabled {DAEMON}", f"systemctl enable {DAEMON}")  # fmt: skip
    if daemon.get("ActiveState") != "active":
        yield error("service-not-running", f"{DAEMON} is {daemon.get('ActiveState')}", f"systemctl status {DAEMON}",
                    f"journalctl -u {DAEMON} -b tells why; it starts under Xen only")  # fmt: skip
    for name in _OTHERS:
        if units.get(name, {}).get("ActiveState") == "failed":
            yield error(
                "unit-failed",
                f"{name} has failed",
                f"systemctl status {name}",
                f"journalctl -u {name} -b tells why",
            )
