"""Captured hosts of one network stack: golden cases of which interface is found and which files move it to the bridge.

`stack_cases/<stack>/<situation>/host/` is laid over hosts/base and hosts/<stack>; an empty file takes one away.
`edit.diff` holds what the stack answers and the diffs of the files that the edit writes, `refused.txt` the problems
that forbid it; `wished` the name of the interface asked for, `bridge` the kind of bridge.
"""

from __future__ import annotations

import difflib
import os
import shutil
from typing import TYPE_CHECKING

from installer_kit import HERE, snapshot

from kronos_installer.detect.nics import read_nics
from kronos_installer.host import Host
from kronos_installer.network.stack import BridgeKind
from kronos_installer.problem import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kronos_installer.host_files import HostFiles
    from kronos_installer.network.stack import NetworkEdit, StackConfig
    from kronos_installer.problem import Problem


def stack_cases(stack: str) -> list[Path]:
    return sorted(HERE.glob(f"stack_cases/{stack}/*"))


def stack_host(folder: Path, stack: str, case: Path | None = None) -> Host:
    """Return a host of that stack below `folder`."""
    root = folder / "host"
    for layer in (HERE / "hosts/base", HERE / "hosts" / stack, *([case / "host"] if case else [])):
        if not layer.exists():
            continue
        shutil.copytree(layer, root, dirs_exist_ok=True)
        for path in layer.rglob("*"):
            if path.is_file() and path.stat().st_size == 0:
                (root / path.relative_to(layer)).unlink()
    return Host(root, lambda argv: "")


def wish(case: Path, name: str) -> str:
    path = case / name
    return path.read_text().strip() if path.exists() else ""


def answer(
    case: Path, folder: Path, stack: str, read: Callable[[HostFiles], StackConfig | None]
) -> tuple[str, str]:
    """Return the name and content of the file that a case should hold."""
    host = stack_host(folder, stack, case)
    before = snapshot(host)
    config = read(host)
    if config is None:
        return "edit.diff", "not in use\n"
    management, problems = config.find_management(read_nics(host), wish(case, "wished"))
    if not problems and management is not None:
        try:
            edit = config.move_to_bridge(management, BridgeKind(wish(case, "bridge") or "bridge"))
        except ProblemError as error:
            problems = (error.problem,)
        else:
            text = f"# configured: {' '.join(config.configured())}\n# {management}\n{render(config, edit)}"
            assert snapshot(host) == before
            return "edit.diff", text
    return "refused.txt", "".join(line(problem) for problem in problems)


def line(problem: Problem) -> str:
    return f"{problem.diagnosis}: {problem.id}: {problem.title}\n"


def render(config: StackConfig, edit: NetworkEdit) -> str:
    """Return an edit for people."""
    found = [
        f"# {name}: {value}" for name in ("switch", "switch_back", "needs") for value in getattr(edit, name)
    ]
    for path, content in edit.files.items():
        original = config.originals[path]
        mode = original.mode if original is not None else edit.modes[path]
        old = original.content.decode().splitlines() if original is not None else []
        new = content.decode().splitlines() if content is not None else []
        found.append(f"# {mode:04o}")
        found += difflib.unified_diff(
            old, new, path if original is not None else "/dev/null", path, lineterm=""
        )
    return "\n".join(found) + "\n"


def check_case(case: Path, folder: Path, stack: str, read: Callable[[HostFiles], StackConfig | None]) -> None:
    name, text = answer(case, folder, stack, read)
    if os.environ.get("KRONOS_WRITE_CASES"):
        (case / name).write_text(text)
    expected = sorted(path.name for path in case.iterdir() if path.name not in ("host", "wished", "bridge"))
    assert expected == [name], text
    assert text == (case / name).read_text()
