"""One of the two sides of a join: a database, the host in question, and what rules ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xapi_shim.database.database import Database


@dataclass(frozen=True)
class Side:
    """The host that joins with its own database, or the master with the pool's."""

    db: Database
    host: str

    @property
    def pool(self) -> str:
        return self.db.refs("pool")[0]

    @property
    def management(self) -> str | None:
        """The interface that the host is reached by; None where its records do not say."""
        pifs = self.db.items("host", self.host, "PIFs")
        return next((pif for pif in pifs if self.db.flag("PIF", pif, "management")), None)

    def text(self, name: str) -> str:
        """Return a field of the host's that holds text."""
        return self.db.text("host", self.host, name)

    def version(self, key: str) -> str:
        """Return what the host's software_version says, "" for nothing."""
        return self.db.mapping("host", self.host, "software_version").get(key, "")

    def cpu(self, key: str) -> str:
        return self.db.mapping("host", self.host, "cpu_info").get(key, "")

    def pool_flag(self, name: str) -> bool:
        return self.db.flag("pool", self.pool, name)

    @property
    def is_updating(self) -> bool:
        """Whether updates are being applied to a host of the pool."""
        return "apply_updates" in self.db.mapping("pool", self.pool, "current_operations").values()


def master_side(db: Database) -> Side:
    """Return the pool's side of a database that is a pool's."""
    return Side(db, db.text("pool", db.refs("pool")[0], "master"))
