"""The shape of a step, and how it is kept in the journal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Host

Record = dict[str, Any]
"""A JSON object."""


class HostChangedError(KronosError):
    """Between the plan and its application somebody else changed what a step is about."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} has changed since the plan was made", resolution="make a new plan")


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One change of the host.

    `apply` and `undo` may be cut off anywhere and called again: each brings about one state,
    whatever it finds. Both raise KronosError or OSError.
    """

    reason: str
    kind: ClassVar[str]
    kinds: ClassVar[dict[str, type[Step]]] = {}
    # Whether it waits until the host has been rebooted, runs Xen, and its network is confirmed.
    after_reboot: ClassVar[bool] = False
    # Whether its effect is used up by one boot: nobody misses it afterwards, and `apply` repeats it
    # while the host does not run Xen.
    one_time: ClassVar[bool] = False
    # Whether it makes that lasting which was tried for one boot.
    ends_try: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        Step.kinds[cls.kind] = cls

    @property
    def touches_network(self) -> bool:
        """Whether the host's own network is other than before, at the latest after a reboot."""
        return False

    @property
    def target(self) -> str:
        """The file that the step is about, where another step may be about the same one later; "" for none."""
        return ""

    @property
    def needs_reboot(self) -> bool:
        """Whether the step takes effect at the next boot only."""
        return False

    @abstractmethod
    def describe(self) -> str:
        """Return what it does, as one line that begins with a verb."""

    @abstractmethod
    def describe_undo(self) -> str:
        """Return what taking it back does."""

    @abstractmethod
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """Return the commands that `apply` runs."""

    def diff(self) -> str:
        """Return the unified diff of the files it writes, "" for a step that writes none."""
        return ""

    @abstractmethod
    def capture(self, host: Host) -> Record:
        """Return all that `undo` will need, as found right before `apply`. Raises HostChangedError."""

    @abstractmethod
    def apply(self, host: Host, original: Record) -> None:
        """Bring about the new state."""

    @abstractmethod
    def undo(self, host: Host, original: Record) -> None:
        """Bring back the state that `capture` saw."""

    def check_undo(self, host: Host) -> None:
        """Raise KronosError where `undo` is known not to be had: a rollback that nobody forces then begins nothing."""
        del host

    @abstractmethod
    def is_applied(self, host: Host) -> bool:
        """Tell whether the new state is there; reads only."""

    def changed_since(self, host: Host, original: Record) -> str:
        """Return what somebody else has made of it since, which `undo` would destroy; "" for nothing."""
        del host, original
        return ""

    @abstractmethod
    def to_json(self) -> Record:
        """Return the fields for the journal, without `kind` and `reason`."""

    @classmethod
    @abstractmethod
    def from_json(cls, record: Record) -> Step:
        """Read what `to_json` wrote."""


def step_to_json(step: Step) -> Record:
    """Return a step's record."""
    return {"kind": step.kind, "reason": step.reason, **step.to_json()}


# The modules of the kinds, imported when a journal has one: the boot guard has no time for all of them.
MODULES = {
    "checked-file": "checked_file_step",
    "directory": "directory_step",
    "file": "file_step",
    "file-system": "file_system_step",
    "grub": "grub_step",
    "grub-default": "grub_step",
    "grub-once": "grub_once_step",
    "grub-script": "grub_step",
    "network": "network_step",
    "packages": "packages_step",
    "pool-join": "pool_join_step",
    "service": "service_step",
    "storage": "storage_step",
    "volume": "volume_step",
}


def step_from_json(record: Record) -> Step:
    """Read a step's record. Raises KeyError for a kind this program does not know."""
    kind = record["kind"]
    if kind not in Step.kinds:
        import_module(f"kronos_installer.steps.{MODULES[kind]}")
    return Step.kinds[kind].from_json(record)
