"""A logical volume in the free space of a volume group (lvcreate(8), lvremove(8))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.device import signatures
from kronos_installer.steps.step import HostChangedError, Record, Step

if TYPE_CHECKING:
    from kronos_installer.host import Host

TAG = "xapi-host-setup"


@dataclass(frozen=True, kw_only=True)
class VolumeStep(Step):
    """Makes the volume `name` of all that is free in `group`. One that still holds something is kept at undo."""

    kind = "volume"
    group: str
    name: str

    @property
    def path(self) -> str:
        """The volume's device node."""
        return f"/dev/{self.group}/{self.name}"

    @override
    def describe(self) -> str:
        return f"make the logical volume {self.group}/{self.name} of the space that is free"

    @override
    def describe_undo(self) -> str:
        return f"remove the logical volume {self.group}/{self.name} if it is empty"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (
            ("lvcreate", "--yes", "--wipesignatures", "y", "--addtag", TAG, "--extents", "100%FREE",
             "--name", self.name, self.group),
        )  # fmt: skip

    def _tags(self, host: Host) -> str | None:
        """Return the volume's tags, None where there is no such volume, or no such group any more. Raises KronosError."""
        listed = host.runner(
            (
                "lvs",
                "--noheadings",
                "--separator",
                "|",
                "--options",
                "lv_name,lv_tags",
                "--select",
                f'vg_name="{self.group}"',
            )
        )
        rows = [line.strip().partition("|") for line in listed.splitlines()]
        return next((tags for name, _, tags in rows if name == self.name), None)

    @override
    def capture(self, host: Host) -> Record:
        if self._tags(host) is not None:
            raise HostChangedError(f"{self.group}/{self.name}")
        return {}

    @override
    def apply(self, host: Host, original: Record) -> None:
        del original
        if self._tags(host) is None:
            host.run(self.commands()[0])

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Remove the volume that we made. A file system left on it holds data, and keeps it."""
        del original
        tags = self._tags(host)
        if tags is not None and TAG in tags.split(",") and not signatures(host, self.path):
            host.run(("lvremove", "--yes", f"{self.group}/{self.name}"))

    @override
    def is_applied(self, host: Host) -> bool:
        return self._tags(host) is not None

    @override
    def to_json(self) -> Record:
        return {"group": self.group, "name": self.name}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(reason=record["reason"], group=record["group"], name=record["name"])
