"""What stands in the way of setting a host up, or deserves a look: one record each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from xapi_shim.base.errors import KronosError


class Level(StrEnum):
    """ERROR refuses the set-up; WARNING and INFO do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Problem:
    """One finding. `id` is stable, for scripts; `diagnosis` names the file and line it comes from."""

    level: Level
    id: str
    title: str
    description: str = ""
    diagnosis: str = ""
    remediation: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the record with all its keys."""
        return {key: str(value) for key, value in asdict(self).items()}


class ProblemError(KronosError):
    """A fact cannot be read, or a part of the plan cannot be made, for the reason `problem` gives."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title}: {problem.diagnosis}", resolution=problem.remediation)
        self.problem = problem


class RefusedError(KronosError):
    """Problems forbid what was asked for; nothing was changed."""

    exit_status = 3

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        errors = [problem for problem in problems if problem.level is Level.ERROR]
        lines = [
            f"{p.diagnosis}: {p.title}" + (f" ({p.remediation})" if p.remediation else "") for p in errors
        ]
        super().__init__("refused, nothing was changed:\n" + "\n".join(f"  {line}" for line in lines))
        self.problems = problems


def refusal(id_: str, title: str, *, at: str, description: str = "", remedy: str = "") -> ProblemError:
    """Return the error of something not understood or not supported, found `at` a file and line."""
    return ProblemError(Problem(Level.ERROR, id_, title, description, at, remedy))
