"""A systemd unit starts at boot (systemctl(1) enable); it is not started now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.step import Record, Step
from xapi_shim.base.atomic_file import fsync_directory

if TYPE_CHECKING:
    from kronos_installer.host import Host


@dataclass(frozen=True, kw_only=True)
class ServiceStep(Step):
    """Enables `unit`, which was not."""

    kind = "service"
    unit: str

    @property
    @override
    def needs_reboot(self) -> bool:
        return True

    @override
    def describe(self) -> str:
        return f"enable {self.unit}"

    @override
    def describe_undo(self) -> str:
        return f"disable {self.unit}"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (("systemctl", "enable", self.unit),)

    def _links(self, host: Host) -> tuple[str, ...]:
        return host.glob(f"/etc/systemd/system/*.wants/{self.unit}")

    @override
    def capture(self, host: Host) -> Record:
        return {
            "enabled": bool(self._links(host)),
            "directories": list(host.glob("/etc/systemd/system/*.wants")),
        }

    @override
    def apply(self, host: Host, original: Record) -> None:
        # There may be several links: a crash between two of them has enabled half of it.
        if not (original["enabled"] and self._links(host)):
            host.run(self.commands()[0])
        # systemctl does not: a power cut may not take the link and leave what is written after it.
        for link in self._links(host):
            fsync_directory(host.at(link).parent)

    @override
    def undo(self, host: Host, original: Record) -> None:
        """Take back the links. A unit whose package is gone has none worth keeping, and no systemctl to ask."""
        if original["enabled"]:
            return
        for link in self._links(host):
            host.remove(link)
        for directory in host.glob("/etc/systemd/system/*.wants"):
            if directory not in original["directories"]:
                host.remove_directory(directory)

    @override
    def is_applied(self, host: Host) -> bool:
        return bool(self._links(host))

    @override
    def to_json(self) -> Record:
        return {"unit": self.unit}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(reason=record["reason"], unit=record["unit"])
