"""The routers that the host's packages to elsewhere go to, and whether they answer: how a network is known to work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xapi_shim.base.errors import KronosError
from xapi_shim.base.ip_address import is_ip_address

if TYPE_CHECKING:
    from kronos_installer.host import Runner

# A neighbour that has answered once (ip-neighbour(8)); one that answers now is REACHABLE.
_ANSWERED = frozenset({"REACHABLE", "STALE", "DELAY", "PROBE", "PERMANENT"})


@dataclass(frozen=True)
class Gateway:
    """A default route's router: its address, and the interface it is behind."""

    address: str
    interface: str
    answers: bool


def read_gateways(query: Runner, *, now_only: bool = False) -> tuple[Gateway, ...]:
    """Return the gateways of the default routes of both families, each once for an interface, asked by one ping(8).

    One that is silent to it but is known as a neighbour has answered too; with `now_only` only one that answered
    just now. What cannot be asked does not answer.
    """
    found: dict[tuple[str, str], Gateway] = {}
    for family in ("-4", "-6"):
        for address, interface in default_routes(
            _ask(query, ("ip", "-json", family, "route", "show", "default"))
        ):
            # One router may be behind two: behind the bridge, and by an advertisement of before behind its port.
            if (address, interface) not in found:
                answers = _answers(query, address, interface, now_only=now_only)
                found[address, interface] = Gateway(address, interface, answers)
    return tuple(found.values())


def default_routes(text: str) -> tuple[tuple[str, str], ...]:
    """Return address and interface of each gateway in `ip -json route show default`; what is odd is left out. Pure."""
    pairs = []
    for route in _objects(text):
        hops = route.get("nexthops")
        for hop in [route, *(hops if isinstance(hops, list) else [])]:
            if isinstance(hop, dict):
                via = hop.get("via")
                address = hop.get("gateway") or (via.get("host") if isinstance(via, dict) else None)
                interface = hop.get("dev")
                if is_ip_address(str(address)) and isinstance(interface, str) and interface:
                    pairs.append((str(address), interface))
    return tuple(pairs)


def neighbour_states(text: str) -> frozenset[str]:
    """Return the states of the neighbours in `ip -json neigh` that have a link address. Pure."""
    known = [entry for entry in _objects(text) if entry.get("lladdr")]
    return frozenset(
        str(state) for entry in known if isinstance(entry.get("state"), list) for state in entry["state"]
    )


def _answers(query: Runner, address: str, interface: str, *, now_only: bool) -> bool:
    try:
        query(("ping", "-n", "-c", "1", "-W", "1", "-I", interface, address))
    except (KronosError, OSError):
        told = _ask(query, ("ip", "-json", "neigh", "show", "to", address, "dev", interface))
        return bool(neighbour_states(told) & ({"REACHABLE"} if now_only else _ANSWERED))
    return True


def _ask(query: Runner, argv: tuple[str, ...]) -> str:
    try:
        return query(argv)
    except (KronosError, OSError):
        return ""


def _objects(text: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
