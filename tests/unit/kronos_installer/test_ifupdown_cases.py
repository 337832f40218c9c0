"""ifupdown: what is found on captured hosts, what is written, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stack_kit import check_case, stack_cases

from kronos_installer.network.ifupdown.config import read_ifupdown

if TYPE_CHECKING:
    from pathlib import Path

CASES = stack_cases("ifupdown")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_captured_host(case: Path, tmp_path: Path) -> None:
    check_case(case, tmp_path, "ifupdown", read_ifupdown)
