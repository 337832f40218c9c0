"""packaging, debian, rpm and installer are other projects' import names: ours must not hide them."""

import sys
from pathlib import Path

import pytest

from xapi_shim.base.process import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("room", ["packaging", "debian", "rpm", "installer", "ci", "tests"])
def test_rooms_hold_no_modules_directly(room):
    allowed = {"conftest.py"} if room == "tests" else set()
    assert {p.name for p in (ROOT / room).glob("*.py")} <= allowed


@pytest.mark.parametrize("module", ["packaging.version", "debian.deb822"])
def test_the_real_projects_are_imported(module):
    code = f"import {module}, sys; print(sys.modules['{module}'].__file__)"
    found = run([sys.executable, "-c", code], cwd=ROOT).stdout.strip()
    assert not Path(found).is_relative_to(ROOT)
