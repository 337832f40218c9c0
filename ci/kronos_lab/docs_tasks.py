"""The task `docs`: the pages that are made from declarations."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from invoke.tasks import task

from kronos_lab.api_reference import pages
from kronos_lab.cache import REPO
from kronos_lab.support_matrix import made_support_matrix
from xapi_shim.base.process import run
from xapi_shim.datamodel.registry import DATAMODEL

if TYPE_CHECKING:
    from invoke.context import Context

REFERENCE = REPO / "docs/xenapi"
COVERAGE = REPO / "docs/xenapi-coverage.md"
XE_COVERAGE = REPO / "docs/xe-coverage.md"
ANSWERS_SCHEMA = REPO / "docs/host-setup-answers.schema.json"
PROGRESS_SCHEMA = REPO / "docs/host-setup-progress.schema.json"
SUPPORT = REPO / "docs/support-matrix.md"


def made_pages() -> dict[str, str]:
    """Return the text of every page of the reference by its file's name."""
    return pages(DATAMODEL)


def made_coverage() -> str:
    """Return the coverage page, told by the toolstack itself. Raises ProcessError."""
    return run([sys.executable, "-m", "xapi_shim.api.coverage"], cwd=REPO).stdout


def made_xe_coverage() -> str:
    """Return the page of xe's commands, told by the daemon itself. Raises ProcessError."""
    return run([sys.executable, "-m", "xapi_shim.web.xe_coverage"], cwd=REPO).stdout


def made_schema(module: str) -> str:
    """Return a schema, told by the host set-up's module of that name. Raises ProcessError."""
    env = {"PYTHONPATH": f"{REPO}:{REPO / 'installer'}"}
    return run([sys.executable, "-m", f"kronos_installer.{module}"], cwd=REPO, env=env).stdout


@task
def docs(_: Context) -> None:
    """Write the XenAPI reference, the pages and the host set-up's schemas from declarations and results."""
    made = made_pages()
    REFERENCE.mkdir(exist_ok=True)
    for old in REFERENCE.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (REFERENCE / name).write_text(text)
    COVERAGE.write_text(made_coverage())
    XE_COVERAGE.write_text(made_xe_coverage())
    ANSWERS_SCHEMA.write_text(made_schema("answer_schema"))
    PROGRESS_SCHEMA.write_text(made_schema("progress_schema"))
    SUPPORT.write_text(made_support_matrix())
