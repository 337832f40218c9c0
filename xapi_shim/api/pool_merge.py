"""What of a joining host's database comes into the pool's. Pure.

Refs and uuids stay as they are. What the master has already, by ref or by uuid, is the master's: it stays as it is,
and what named the joiner's names that. So a second try after a crash brings the host's own records again, and leaves
alone what the pool's users did to its guests in between. Networks are the same if their bridges' names are and the
host has an interface on them; an internal one, which reaches no wire, comes with a bridge of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from xapi_shim.api.network import first_free_bridge
from xapi_shim.api.pool_leave import drop_operations, leaving_rows
from xapi_shim.api.pool_rows import (
    OWNERS,
    PARTS,
    WHOLE,
    own_fields,
    part_refs,
    ref_class,
    refs_in,
    stays_behind,
)
from xapi_shim.database.replication import Create, Put
from xapi_shim.datamodel.types import NULL_REF, Kind, Type

if TYPE_CHECKING:
    from xapi_shim.api.pool_rows import Key
    from xapi_shim.database.database import Database
    from xapi_shim.database.replication import Operation
    from xapi_shim.datamodel.model import Value

# Owners of which the master's own take in what the joiner's had: disks found on the same repository.
_TAKES_IN = frozenset({"SR", "VDI", "USB_group"})
# By what a row is the same as one of the master's, beside ref and uuid.
_SAME_BY = {"network": "bridge", "PVS_site": "PVS_uuid"}
# What is not so until the host's daemon, as a member, says that it is.
_NOT_YET: dict[str, dict[str, Value]] = {
    "host": {"enabled": False},
    "host_metrics": {"live": False},
    "PBD": {"currently_attached": False},
}


def join_operations(joiner: Database, host: str, master: Database) -> list[Operation]:
    """Return what brings a host and all that is its own into the master's database.

    `check_join` comes first. Where the master has a host of that uuid, which is dead by then, what is left of it
    goes unless it comes again. allowed_operations are the caller's to compute anew.
    """
    dead = master.find_uuid("host", joiner.text("host", host, "uuid"))
    merge = _Merge(joiner, master, leaving_rows(master, dead) if dead else set())
    for cls in WHOLE:
        merge.take_whole(cls)
    for cls in OWNERS:
        merge.take_owned(cls)
    for cls in PARTS:
        for ref in part_refs(joiner, cls, merge.brought):
            merge.brought.add((cls, ref))
    stale = leaving_rows(master, dead, merge.brought) if dead else set()
    return [*drop_operations(master, stale), *merge.creations()]


@dataclass
class _Merge:
    """What comes is gathered in `brought`; `known` leads from the joiner's rows to the master's of the same thing.

    `former` is what the master knows of the host from another time, which does not keep the host's own from coming.
    """

    joiner: Database
    master: Database
    former: set[Key]
    brought: set[Key] = field(default_factory=set)
    known: dict[Key, str] = field(default_factory=dict)

    def take_whole(self, cls: str) -> None:
        for ref in self.joiner.refs(cls):
            if not stays_behind(self.joiner, cls, ref):
                self._take(cls, ref)

    def take_owned(self, cls: str) -> None:
        owners = [(name, ref_class(self.joiner, cls, name)) for name in OWNERS[cls]]
        for ref in self.joiner.refs(cls):
            if all(self._has_owner(of, self.joiner.text(cls, ref, name)) for name, of in owners):
                self._take(cls, ref)

    def _has_owner(self, cls: str, ref: str) -> bool:
        return (cls, ref) in self.brought or (cls in _TAKES_IN and (cls, ref) in self.known)

    def _take(self, cls: str, ref: str) -> None:
        same = self._same(cls, ref)
        if same is None or (cls, same) in self.former:
            self.brought.add((cls, ref))
        else:
            self.known[cls, ref] = same

    def _same(self, cls: str, ref: str) -> str | None:
        if self.master.exists(cls, ref):
            return ref
        same = self.master.find_uuid(cls, self.joiner.text(cls, ref, "uuid"))
        return same or self._same_by(cls, ref)

    def _same_by(self, cls: str, ref: str) -> str | None:
        name = _SAME_BY.get(cls)
        if name is None or (cls == "network" and not self.joiner.items("network", ref, "PIFs")):
            return None
        wanted = self.joiner.text(cls, ref, name)
        others = (other for other in self.master.refs(cls) if self.master.text(cls, other, name) == wanted)
        return next(others, None) if wanted else None

    def creations(self) -> list[Operation]:
        """Return what makes the rows. A ref whose other end is derived waits until there is what it names."""
        waits = {(rel.one, rel.field_one) for rel in self.joiner.model.relations}
        made: set[Key] = set()
        creates: list[Operation] = []
        later: list[Operation] = []
        bridges = self._bridges()
        for cls in (*WHOLE, *OWNERS, *PARTS):
            fields = own_fields(self.joiner, cls)
            for ref in self.joiner.refs(cls):
                if (cls, ref) not in self.brought:
                    continue
                values = {f.name: self._carried(f.type, self.joiner.get(cls, ref, f.name)) for f in fields}
                values |= _NOT_YET.get(cls, {}) | bridges.get((cls, ref), {})
                if "current_operations" in values:
                    values["current_operations"] = {}
                if cls == "VBD" and values["VDI"] == NULL_REF:
                    values["empty"] = True
                for f in fields:
                    ends = {key for key in refs_in(f.type, values[f.name]) if key in self.brought}
                    if (cls, f.name) in waits and not ends <= made:
                        later.append(Put(cls, ref, f.name, values.pop(f.name)))
                creates.append(Create(cls, ref, values))
                made.add((cls, ref))
        return creates + later

    def _bridges(self) -> dict[Key, dict[str, Value]]:
        """Return other bridges for internal networks whose bridge is another network's in the pool."""
        taken = {self.master.text("network", ref, "bridge") for ref in self.master.refs("network")}
        mine = {ref: self.joiner.text("network", ref, "bridge") for ref in self.joiner.refs("network")}
        changed: dict[Key, dict[str, Value]] = {}
        for ref, bridge in mine.items():
            if bridge and bridge in taken and ("network", ref) in self.brought:
                other = first_free_bridge({*taken, *mine.values()})
                taken.add(other)
                changed["network", ref] = {"bridge": other}
        return changed

    def _carried(self, of: Type, value: Value) -> Value:
        """Return a value, never the joiner's own list, with refs to the master's rows; None of those to nothing."""
        if of.kind is Kind.REF:
            return self._ref(of.name, cast("str", value))
        if of.kind is Kind.SET:
            items = [self._carried(of.of[0], item) for item in cast("list[Value]", value)]
            return [item for item in items if not _is_null(of.of[0], item)]
        if of.kind is Kind.MAP:
            pairs = [
                (cast("str", self._carried(of.of[0], k)), self._carried(of.of[1], v))
                for k, v in cast("dict[str, Value]", value).items()
            ]
            return {k: v for k, v in pairs if not (_is_null(of.of[0], k) or _is_null(of.of[1], v))}
        return value

    def _ref(self, cls: str, ref: str) -> str:
        return ref if (cls, ref) in self.brought else self.known.get((cls, ref), NULL_REF)


def _is_null(of: Type, value: Value) -> bool:
    return of.kind is Kind.REF and value == NULL_REF
