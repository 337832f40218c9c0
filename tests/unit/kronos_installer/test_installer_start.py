"""Where the program starts: the boot guard's short road does what the long one does, and stays short."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from installer_kit import HERE, make_host

from kronos_installer import main as _all_commands  # noqa: F401 -- registers every kind of step
from kronos_installer.start import _guard
from kronos_installer.steps.step import MODULES, Step

if TYPE_CHECKING:
    from pathlib import Path

REPO = HERE.parents[2]
# What no boot may wait for: all else that the set-up knows, and the libraries that it brings along.
LONG = ("kronos_installer.plan", "kronos_installer.facts", "asyncio", "http", "yaml", "jsonschema")


def test_every_kind_of_step_is_found_where_its_record_says() -> None:
    ours = {kind: cls for kind, cls in Step.kinds.items() if cls.__module__.startswith("kronos_installer.")}
    assert {kind: cls.__module__.rpartition(".")[2] for kind, cls in ours.items()} == MODULES


def test_the_guard_has_nothing_to_do_on_a_host_that_is_not_set_up(tmp_path: Path, capsys) -> None:
    assert _guard(make_host(tmp_path).root) == 0
    assert capsys.readouterr().out == "Nothing to put back.\n"


@pytest.mark.parametrize("module", LONG)
def test_the_guards_road_is_short(module: str) -> None:
    program = (
        f"import sys; sys.path[:0] = [{str(REPO)!r}, {str(REPO / 'installer')!r}]\n"
        "import kronos_installer.start, kronos_installer.guard, kronos_installer.host, xapi_shim.base.progress\n"
        "import kronos_installer.steps.network_step, kronos_installer.steps.grub_step\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-I", "-c", program], check=False).returncode == 0
