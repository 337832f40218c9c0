"""Which network a host's uplink leads to: hosts whose uplinks are on bridges of one name share a network.

A guest's interface names the bridge by its network's record, on whichever host it runs. So an uplink whose bridge
has another name than the network's is in another network, unless it is the network's only one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.database.database import Database
    from xapi_shim.datamodel.model import Value

    # Of PIFs: the device, the tag, and whether it is a NIC. Others' records may have the same device.
    Key = tuple[str, int, bool]


def key_of(db: Database, pif: str) -> Key:
    return db.text("PIF", pif, "device"), db.number("PIF", pif, "VLAN"), db.flag("PIF", pif, "physical")


def own_bridge(name: str) -> str:
    """Return the name of a bridge for an interface that is in none."""
    return f"br{name}"[:15]


@dataclass(frozen=True)
class HostNetworks:
    """The networks as one host sees them; `bridges` are the names for its uplinks now."""

    db: Database
    host: str
    bridges: Mapping[Key, str]

    def for_new(self, key: Key, name: str, mtu: int) -> str:
        """Return the network for an uplink that has no record: other hosts' on the same bridge, or a new one."""
        bridge = self.bridges[key]
        return self._of_others(key, bridge) or self._add(bridge, name, mtu)

    def _add(self, bridge: str, name: str, mtu: int) -> str:
        label = f"Pool-wide network associated with {name}"
        values: dict[str, Value] = {"name_label": label, "bridge": bridge, "MTU": mtu, "managed": True}
        return self.db.create("network", values)

    def settle(self, pif: str, bridge: str, name: str) -> None:
        """Have the network of an uplink's record be that of a bridge."""
        db, before = self.db, self.db.text("PIF", pif, "network")
        if not db.exists("network", before) or db.text("network", before, "bridge") == bridge:
            return
        key = key_of(db, pif)
        if other := self._of_others(key, bridge):
            db.set("PIF", pif, "network", other)
            self._drop_empty(before)
        elif self._others(before):
            db.set("PIF", pif, "network", self._add(bridge, name, db.number("PIF", pif, "MTU")))
        else:
            db.set("network", before, "bridge", bridge)

    def _others(self, network: str) -> list[str]:
        """Return the uplinks that other hosts have in a network."""
        db = self.db
        return [
            pif for pif in db.items("network", network, "PIFs") if db.text("PIF", pif, "host") != self.host
        ]

    def _of_others(self, key: Key, bridge: str) -> str | None:
        """Return the network that other hosts' uplinks with the same tag have on a bridge of this name."""
        db = self.db
        for network in db.refs("network"):
            if db.text("network", network, "bridge") != bridge:
                continue
            others = self._others(network)
            same = others and all(db.number("PIF", pif, "VLAN") == key[1] for pif in others)
            if same and not self._is_taken(network, key, bridge):
                return network
        return None

    def _is_taken(self, network: str, key: Key, bridge: str) -> bool:
        """Say whether another uplink of this host stays in a network."""
        mine = {
            key_of(self.db, pif)
            for pif in self.db.items("network", network, "PIFs")
            if self.db.text("PIF", pif, "host") == self.host
        }
        return any(self.bridges.get(one) == bridge for one in mine - {key})

    def _drop_empty(self, network: str) -> None:
        """Drop the network that an uplink was the only one of, unless guests are in it."""
        if not self.db.items("network", network, "PIFs") and not self.db.items("network", network, "VIFs"):
            self.db.destroy("network", network)
