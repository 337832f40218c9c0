"""docs/support-matrix.md from the recorded results of the lab: what was walked, how it ended, how long it took.

docs/lab-results.json holds the last recorded result of each row; `./inv lab.record` takes over those of dist/.
"""

from __future__ import annotations

import json
from typing import NotRequired, TypedDict

import jinja2

from kronos_lab.cache import REPO
from kronos_lab.rows import ROWS

RECORDED = REPO / "docs/lab-results.json"
FRESH = REPO / "dist/lab-results"
SECOND_HOST = "second host joins"
STAGES = ("plan and apply", "reboot into Xen", "a PV guest's hello", SECOND_HOST, "rollback and reboot")
_TEMPLATES = REPO / "ci/kronos_lab/templates"


class Result(TypedDict):
    """A row's walk. `times` are seconds by stage; `failed at` is the stage that failed, "" for none.

    `silences` are the seconds without network of a switch of the running network (`switched`) and of the way `back`.
    """

    row: str
    outcome: str
    times: dict[str, float]
    date: str
    silences: NotRequired[dict[str, float]]


def recorded() -> dict[str, Result]:
    """Return the recorded results by row."""
    results: dict[str, Result] = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    return results


def record() -> list[str]:
    """Take over the fresh results; return their rows."""
    fresh: dict[str, Result] = {
        path.stem: json.loads(path.read_text()) for path in sorted(FRESH.glob("*.json"))
    }
    RECORDED.write_text(json.dumps(recorded() | fresh, indent=1, sort_keys=True) + "\n")
    return [*fresh]


def made_support_matrix() -> str:
    """Return the page's text."""
    results = recorded()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=False,  # noqa: S701 -- Markdown
        keep_trailing_newline=True,
    )  # fmt: skip
    rows = [
        {"name": row.name, "summary": row.summary, "disk": row.disk} | _cells(results.get(row.name))
        for row in ROWS.values()
    ]
    return environment.get_template("support-matrix.md.j2").render(rows=rows)


def _cells(result: Result | None) -> dict[str, object]:
    if result is None:
        return {"outcome": "not run", "times": ["-" for _ in (*STAGES, "switch")], "date": "-"}
    times = [_time(result, stage) for stage in STAGES]
    silences = result.get("silences", {})
    times.append(f"{silences['switched']} s, {silences['back']} s" if silences else "-")
    return {"outcome": result["outcome"], "times": times, "date": result["date"]}


def _time(result: Result, stage: str) -> str:
    if stage in result["times"]:
        return f"{result['times'][stage]:.0f} s"
    # A row may be walked with one host.
    return "without" if stage == SECOND_HOST and result["outcome"] == "passed" else "-"
