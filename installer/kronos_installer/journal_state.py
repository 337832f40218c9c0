"""What the journal's records add up to: how far a host is. Pure."""

from __future__ import annotations

from bisect import bisect_right
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
    # Other options for Xen are written; the next boot alone has them, and they wait to be seen to work.
    TRYING = "trying a reconfigure"
    RECONFIGURING = "reconfigure interrupted"
    CHANGING_BACK = "taking a reconfigure back interrupted"
    ROLLING_BACK = "rollback interrupted"

    @property
    def is_set_up(self) -> bool:
        """Whether all that `apply` does before the reboot is there."""
        return self in (Phase.APPLIED, Phase.CONFIRMED, Phase.FINISHED, Phase.TRYING)


@dataclass(frozen=True)
class Former:
    """What a reconfigure began from: how many steps there were, which wishes, and which gateways confirm."""

    steps: int
    wishes: Wishes | None
    gateways: tuple[str, ...]


@dataclass
class State:
    """What the journal says. Keys of the mappings are places in `steps`; `wishes` is None without a plan.

    `boot_id` is of the boot under which the last step was applied that waits for no reboot, or a reconfigure began ("": a
    soft reboot has ended it); `switch_boot` of the one whose running network is switched (`switched`: all its commands are through) and taken
    back at `switch_deadline` (seconds of CLOCK_BOOTTIME, clock_gettime(2)), `reboot_boot` of the one that must end since
    its network was taken back.
    `awaited_boots` are those that began to wait for the confirmation of what is there now.
    `confirmed_xen`: Xen ran when the network was confirmed; `why_left_xen` is why its try was ended without that.
    `gateways` are what answered when the plan was made. `guarded` are network steps that the boot guard put back.
    `former` is there while a reconfigure is under way, or tried: its steps are those after the former ones. `sections`
    are the places at which the steps of each reconfigure begin; `ran_xen`: Xen ran when the last one began, so with its
    old options it is known to work. `why_changed_back` is why the last one was taken back when nobody asked for it;
    `tried_back`: Xen with the old options has been chosen for one boot since, `confirmed_back`: it was seen to work;
    `could_ask`: gateways answered when it began.
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
    sections: tuple[int, ...] = ()
    ran_xen: bool = False
    why_changed_back: str = ""
    tried_back: bool = False
    confirmed_back: bool = False
    could_ask: bool = False
    gateways: tuple[str, ...] = ()
    boot_id: str = ""
    switch_boot: str = ""
    switch_deadline: float = 0
    switched: bool = False
    reboot_boot: str = ""
    awaited_boots: frozenset[str] = frozenset()
    confirmed_by: str = ""
    confirmed_xen: bool = False
    why_left_xen: str = ""
    why_rolled_back: str = ""

    @property
    def to_undo(self) -> tuple[int, ...]:
        """The places of the steps that a rollback still has to take back, the one done last first."""
        pending = self.intents.keys() - self.undone - self.given_up.keys()
        return tuple(sorted(pending, key=self._when_done, reverse=True))

    def _when_done(self, place: int) -> tuple[bool, int, bool, int]:
        step = self.steps[place]
        # What the daemon is asked for goes first: without an answer from it the host stays as it is.
        by_daemon = step.after_reboot and not step.target
        return by_daemon, bisect_right(self.sections, place), step.after_reboot, place

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

    @property
    def is_trying_xen(self) -> bool:
        """Whether Xen has yet to be made what boots by itself."""
        return any(step.ends_try and place not in self.done for place, step in enumerate(self.steps))

    @property
    def section(self) -> range:
        """The places of the steps of the reconfigure that is under way, or tried."""
        return range(self.former.steps if self.former else len(self.steps), len(self.steps))

    @property
    def is_trying_options(self) -> bool:
        """Whether the reconfigure that is under way changes how Xen boots, and so is to be seen to work first."""
        return any(self.steps[place].ends_try for place in self.section)

    @property
    def way_back(self) -> int | None:
        """The place of the step by which what boots by itself is without Xen while the reconfigure is tried."""
        ends = {self.steps[place].target for place in self.section if self.steps[place].ends_try}
        return next((place for place in self.section if self.steps[place].target in ends), None)

    @property
    def left_to_change_back(self) -> tuple[int, ...]:
        """The places of the reconfigure's steps that are begun and not taken back."""
        return tuple(place for place in self.section if place in self.intents and place not in self.undone)

    @property
    def is_back_but_default(self) -> bool:
        """Whether of a reconfigure that is taken back only the way back is left, until Xen is seen to work with its old options."""
        waits = self.phase is Phase.CHANGING_BACK and not self.confirmed_back
        return waits and self.left_to_change_back == (self.way_back,)

    def is_written_under(self, boot_id: str) -> bool:
        """Tell whether the new network was written under this boot, and waits for the next: nobody switches to it."""
        return bool(boot_id) and self.boot_id == boot_id and not self.is_switched_under(boot_id)

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
    elif kind in ("reconfigure", "change-back", "try-back", "confirmed-back", "reconfigured", "unchanged"):
        _fold_reconfigure(state, kind, record)
    elif kind in ("intent", "done", "undone", "guarded", "given-up"):
        _fold_step(state, kind, record)
    elif kind == "switching":
        state.switch_boot, state.switch_deadline = record["boot_id"], float(record["deadline"])
        state.switched = False
    elif kind == "switched":
        state.switched = True
    elif kind == "awaiting":
        state.awaited_boots |= {record["boot_id"]}
    elif kind == "left-xen":
        state.why_left_xen = record["why"]
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
        _begin_section(state, record)
        return
    if state.former is None:
        raise ValueError("no reconfigure was begun")
    if kind == "change-back":
        state.phase = Phase.CHANGING_BACK
        state.why_changed_back = record.get("why", "")
        state.reboot_boot = record.get("reboot", "")
        return
    if kind == "try-back":
        state.tried_back = True
        state.awaited_boots = frozenset()
        return
    if kind == "confirmed-back":
        state.confirmed_back = True
        return
    if kind == "reconfigured" and state.is_trying_options:
        state.phase = Phase.TRYING
        state.boot_id = record["boot_id"]
        state.awaited_boots = frozenset()
        return
    if kind == "unchanged":
        state.steps, state.wishes = state.steps[: state.former.steps], state.former.wishes
        state.gateways, state.sections = state.former.gateways, state.sections[:-1]
        for place in [place for place in state.intents if place >= len(state.steps)]:
            del state.intents[place]
            state.done.discard(place)
            state.undone.discard(place)
    state.former = None
    state.phase = Phase.FINISHED


def _begin_section(state: State, record: Record) -> None:
    state.former = Former(len(state.steps), state.wishes, state.gateways)
    state.sections += (len(state.steps),)
    state.steps += tuple(step_from_json(step) for step in record["steps"])
    state.wishes = wishes_from_record(record["wishes"])
    state.phase = Phase.RECONFIGURING
    # Journals of before reconfigures were tried do not say the rest.
    state.gateways = tuple(record.get("gateways", ())) or state.gateways
    state.boot_id = record.get("boot_id", state.boot_id)
    state.ran_xen = record.get("xen", False)
    state.why_changed_back = ""
    state.tried_back = state.confirmed_back = False
    state.could_ask = bool(record.get("gateways"))


def _fold_phase(state: State, kind: str, record: Record) -> None:
    state.phase = _PHASES[kind]
    if kind == "applied":
        state.boot_id = record["boot_id"]
    elif kind == "confirmed":
        state.awaited_boots = frozenset()
        state.confirmed_by = record["by"]
        state.confirmed_xen = record.get("xen", False)
    elif kind == "finished":
        state.former = None
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
