"""What the journal's records add up to: how far a host is. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from kronos_installer.steps.network_step import NetworkStep
from kronos_installer.steps.step import Record, Step, step_from_json
from kronos_installer.wishes_record import wishes_from_record

if TYPE_CHECKING:
    from kronos_installer.wishes import Wishes

FORMAT = 2


class Phase(StrEnum):
    """How far the host is."""

    CLEAN = "clean"
    APPLYING = "apply interrupted"
    # All files are written; the new network waits for the reboot, or to be confirmed.
    APPLIED = "applied"
    # The new network is confirmed; what needs it, and Xen, is being done or waits for Xen.
    CONFIRMED = "confirmed"
    FINISHED = "finished"
    RECONFIGURING = "reconfigure interrupted"
    CHANGING_BACK = "taking a reconfigure back interrupted"
    ROLLING_BACK = "rollback interrupted"

    @property
    def is_set_up(self) -> bool:
        """Whether all that `apply` does before the reboot is there."""
        return self in (Phase.APPLIED, Phase.CONFIRMED, Phase.FINISHED)


@dataclass(frozen=True)
class Former:
    """What a reconfigure began from: how many steps there were, and which wishes."""

    steps: int
    wishes: Wishes | None


@dataclass
class State:
    """What the journal says. Keys of the mappings are places in `steps`; `wishes` is None without a plan.

    `boot_id` is of the boot under which the last step was applied that waits for no reboot; `switch_boot` of the one
    whose running network is switched (`switched`: all its commands are through) and taken back at `switch_deadline`
    (seconds of CLOCK_BOOTTIME, clock_gettime(2)), `reboot_boot` of the one that must end since its network was taken back.
    `gateways` are what answered when the plan was made. `guarded` are network steps that the boot guard put back.
    `former` is there while a reconfigure is under way: its steps are those after the former ones.
    """

    phase: Phase = Phase.CLEAN
    steps: tuple[Step, ...] = ()
    intents: dict[int, Record] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    undone: set[int] = field(default_factory=set)
    guarded: set[int] = field(default_factory=set)
    given_up: dict[int, str] = field(default_factory=dict)
    wishes: Wishes | None = None
    former: Former | None = None
    gateways: tuple[str, ...] = ()
    boot_id: str = ""
    switch_boot: str = ""
    switch_deadline: float = 0
    switched: bool = False
    reboot_boot: str = ""
    confirmed_by: str = ""
    why_rolled_back: str = ""

    @property
    def to_undo(self) -> tuple[int, ...]:
        """The places of the steps that a rollback still has to take back, the one done last first."""
        pending = self.intents.keys() - self.undone - self.given_up.keys()
        return tuple(sorted(pending, key=lambda place: (self.steps[place].after_reboot, place), reverse=True))

    @property
    def superseded(self) -> frozenset[int]:
        """The places of the steps that a later one has begun to change again: the later one answers for the file."""
        begun = sorted(self.intents.keys() - self.undone)
        last = {self.steps[place].target: place for place in begun}
        return frozenset(p for p in begun if self.steps[p].target and last[self.steps[p].target] != p)

    @property
    def network_to_undo(self) -> tuple[int, ...]:
        """Those of them that are the network's."""
        return tuple(place for place in self.to_undo if self.steps[place].touches_network)

    @property
    def network_steps(self) -> tuple[NetworkStep, ...]:
        """The steps that put the management addresses on the bridge."""
        return tuple(step for step in self.steps if isinstance(step, NetworkStep))

    def is_switched_under(self, boot_id: str) -> bool:
        """Tell whether the running network of this boot is, or was meant to be, switched without a reboot."""
        return bool(self.switch_boot) and self.switch_boot == boot_id


def fold(state: State, record: Record) -> None:
    """Add one record to the state. Raises KeyError, ValueError, IndexError for what cannot follow."""
    kind = record["record"]
    if kind == "plan":
        if record["format"] != FORMAT:
            raise ValueError(f"format {record['format']}")
        state.steps = tuple(step_from_json(step) for step in record["steps"])
        state.wishes = wishes_from_record(record["wishes"])
        state.gateways = tuple(record["gateways"])
        state.boot_id = record["boot_id"]
        state.phase = Phase.APPLYING
    elif kind in ("reconfigure", "change-back", "reconfigured", "unchanged"):
        _fold_reconfigure(state, kind, record)
    elif kind in ("intent", "done", "undone", "guarded", "given-up"):
        _fold_step(state, kind, record)
    elif kind == "switching":
        state.switch_boot, state.switch_deadline = record["boot_id"], float(record["deadline"])
        state.switched = False
    elif kind == "switched":
        state.switched = True
    elif kind == "reboot-due":
        state.reboot_boot = record["boot_id"]
    else:
        _fold_phase(state, kind, record)


def _fold_step(state: State, kind: str, record: Record) -> None:
    place = record["step"]
    if not isinstance(place, int) or not 0 <= place < len(state.steps):
        raise IndexError(f"step {place}")
    if kind == "intent":
        state.intents[place] = record["original"]
    elif kind == "done":
        state.done.add(place)
        state.guarded.discard(place)
    elif kind == "guarded":
        state.done.discard(place)
        state.guarded.add(place)
    elif kind == "given-up":
        state.given_up[place] = record["why"]
    else:
        state.undone.add(place)


def _fold_reconfigure(state: State, kind: str, record: Record) -> None:
    if kind == "reconfigure":
        state.former = Former(len(state.steps), state.wishes)
        state.steps += tuple(step_from_json(step) for step in record["steps"])
        state.wishes = wishes_from_record(record["wishes"])
        state.phase = Phase.RECONFIGURING
        return
    if state.former is None:
        raise ValueError("no reconfigure was begun")
    if kind == "change-back":
        state.phase = Phase.CHANGING_BACK
        return
    if kind == "unchanged":
        state.steps, state.wishes = state.steps[: state.former.steps], state.former.wishes
        for place in [place for place in state.intents if place >= len(state.steps)]:
            del state.intents[place]
            state.done.discard(place)
            state.undone.discard(place)
    state.former = None
    state.phase = Phase.FINISHED


def _fold_phase(state: State, kind: str, record: Record) -> None:
    state.phase = _PHASES[kind]
    if kind == "applied":
        state.boot_id = record["boot_id"]
    elif kind == "confirmed":
        state.confirmed_by = record["by"]
    elif kind == "rollback":
        state.why_rolled_back = record["why"]
        state.reboot_boot = record["reboot"]


_PHASES = {
    "applied": Phase.APPLIED,
    "confirmed": Phase.CONFIRMED,
    "finished": Phase.FINISHED,
    "rollback": Phase.ROLLING_BACK,
    "rolled-back": Phase.CLEAN,
}
