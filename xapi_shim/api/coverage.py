"""Which of the declared messages work: the page docs/xenapi-coverage.md. The daemon does without."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from textwrap import wrap
from typing import TYPE_CHECKING

from xapi_shim.api import MODULES
from xapi_shim.api.missing import WAITING, reasons
from xapi_shim.database.database import Database
from xapi_shim.datamodel.derive import all_messages
from xapi_shim.datamodel.registry import DATAMODEL
from xapi_shim.rpc.generic import GenericMessages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xapi_shim.datamodel.model import DataModel

INTRODUCTION = """\
# XenAPI coverage

Made by `./inv docs` from what the daemon binds; removed messages, which answer `MESSAGE_REMOVED`, are left
out. `works` messages run on Xen and on the simulator alike, `simulator only` ones on the simulator; the
others answer `NOT_IMPLEMENTED`. What each class is: [xenapi/](xenapi/README.md).
"""

# The page's width, in characters.
LINE = 115


class Coverage(StrEnum):
    """How far a message is served."""

    WORKS = "works"
    SIMULATOR = "simulator only"
    MISSING = "not implemented"


def coverage(model: DataModel) -> dict[str, dict[str, Coverage]]:
    """Return the state of every message that is not removed, by class and name.

    A module of messages names in SIMULATOR_ONLY those whose drivers for Xen are still missing.
    """
    own = {key for module in MODULES for key in module.MESSAGES}
    simulated = {key for module in MODULES for key in getattr(module, "SIMULATOR_ONLY", ())}
    generic = GenericMessages(Database(model))
    found: dict[str, dict[str, Coverage]] = {name: {} for name in sorted(model.classes)}
    for key, (cls, message) in all_messages(model).items():
        if message.removed:
            continue
        if key in simulated:
            state = Coverage.SIMULATOR
        elif key in own or generic.handler(cls, message) is not None:
            state = Coverage.WORKS
        else:
            state = Coverage.MISSING
        found[cls.name][message.name] = state
    return found


def page(found: Mapping[str, Mapping[str, Coverage]]) -> str:
    """Return the page: counts by class, then the names of what does not work everywhere, and why.

    Raises MissingError.
    """
    return INTRODUCTION + "\n".join([*_counts(found), *_names(found)]) + "\n"


def _counts(found: Mapping[str, Mapping[str, Coverage]]) -> Iterator[str]:
    yield ""
    yield f"| class | {' | '.join(Coverage)} |"
    yield "|---" * (len(Coverage) + 1) + "|"
    total: Counter[Coverage] = Counter()
    for cls, messages in found.items():
        count = Counter(messages.values())
        total += count
        yield f"| {cls} | {' | '.join(str(count[one]) for one in Coverage)} |"
    yield f"| all | {' | '.join(str(total[one]) for one in Coverage)} |"


def _names(found: Mapping[str, Mapping[str, Coverage]]) -> Iterator[str]:
    simulated = [f"{cls}.{name}" for cls, name in _in_state(found, Coverage.SIMULATOR)]
    if simulated:
        yield from ("", f"## {Coverage.SIMULATOR.capitalize()}", "")
        yield from (f"- `{name}`" for name in simulated)
    missing = list(_in_state(found, Coverage.MISSING))
    why = reasons(f"{cls}.{name}" for cls, name in missing)
    yield from (
        "",
        f"## {Coverage.MISSING.capitalize()}",
        "",
        "By the part of the toolstack that they wait for.",
    )
    for group in WAITING:
        waiting = [(cls, name) for cls, name in missing if why[f"{cls}.{name}"] is group]
        yield from ("", f"### {group.part} ({len(waiting)})", "", *wrap(group.why, LINE), "")
        for cls, members in groupby(waiting, key=itemgetter(0)):
            names = ", ".join(f"`{cls}.{name}`" for _, name in members)
            yield from wrap(f"- {names}", LINE, subsequent_indent="  ", break_on_hyphens=False)


def _in_state(found: Mapping[str, Mapping[str, Coverage]], state: Coverage) -> Iterator[tuple[str, str]]:
    """Yield class and name of each message in `state`, in order."""
    for cls, messages in found.items():
        yield from ((cls, name) for name in sorted(messages) if messages[name] is state)


if __name__ == "__main__":
    sys.stdout.write(page(coverage(DATAMODEL)))
