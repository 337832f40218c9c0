"""A network stack against captured hosts: each case a folder, what comes out of it a file beside it.

`stack_cases/<stack>/<situation>/host/` is laid over hosts/base; `moved.txt` holds warnings, diffs, modes and commands of
the edit, `refused.txt` the problems that forbid it. Write new ones with KRONOS_WRITE_CASES=1, then read them.
"""

from __future__ import annotations

import difflib
import os
import shutil
from typing import TYPE_CHECKING

from installer_kit import HERE, make_host, seal_profiles

from kronos_installer.detect.nics import read_nics
from kronos_installer.network.stack import BridgeKind
from kronos_installer.problem import Level, ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kronos_installer.host import Host
    from kronos_installer.host_files import HostFiles
    from kronos_installer.network.stack import Management, NetworkEdit, StackConfig

    Reader = Callable[[HostFiles], StackConfig | None]


def cases_of(stack: str) -> list[Path]:
    return sorted(path for path in (HERE / "stack_cases" / stack).glob("*") if path.name != "common")


def host_of(case: Path, folder: Path) -> Host:
    """Return the captured host."""
    host = make_host(folder, case.parent / "common")
    if (case / "host").exists():
        shutil.copytree(case / "host", host.root, dirs_exist_ok=True)
    seal_profiles(host.root)
    return host


def answer(case: Path, folder: Path, read: Reader) -> tuple[str, str]:
    host = host_of(case, folder)
    config = read(host)
    if config is None:
        return "refused.txt", "not in use\n"
    management, problems = config.find_management(read_nics(host))
    errors = [problem for problem in problems if problem.level is Level.ERROR]
    try:
        if management is not None and not errors:
            edit = config.move_to_bridge(management, BridgeKind.LINUX)
            assert set(edit.files) <= set(config.originals)
            warnings = [f"# {p.level} {p.diagnosis}: {p.id}: {p.title}" for p in problems]
            return "moved.txt", "\n".join([*warnings, *_shown(config, management, edit)]) + "\n"
    except ProblemError as refused:
        errors.append(refused.problem)
    assert errors
    return "refused.txt", "".join(f"{p.diagnosis}: {p.id}: {p.title} ({p.remediation})\n" for p in errors)


def check_case(case: Path, folder: Path, read: Reader) -> None:
    name, text = answer(case, folder, read)
    if os.environ.get("KRONOS_WRITE_CASES"):
        (case / name).write_text(text)
    expected = sorted(path.name for path in case.iterdir() if path.name != "host")
    assert expected == [name], text
    assert text == (case / name).read_text()


def check_refusal(case: Path) -> None:
    """See that each problem names files and lines, and a remedy."""
    for line in (case / "refused.txt").read_text().splitlines():
        if line == "not in use":
            continue
        place, _, rest = line.partition(": ")
        assert all(part.rpartition(":")[2].isdigit() for part in place.split(", ")), line
        assert rest.endswith(")"), line
        assert "()" not in rest, line


def _shown(config: StackConfig, management: Management, edit: NetworkEdit) -> list[str]:
    fields = ("kind", "interface", "mac", "ports", "bond", "vlan", "address_type", "uses_dhcp", "at")
    lines = [f"# {name}: {getattr(management, name)}" for name in fields]
    for path, content in edit.files.items():
        before = config.originals[path]
        mode = f"{edit.modes[path]:04o}" if path in edit.modes else "kept"
        lines.append(f"# {path}: mode {mode}")
        old = before.content.decode().splitlines() if before else []
        new = content.decode().splitlines() if content is not None else []
        names = (path if before else "/dev/null", path if content is not None else "/dev/null")
        lines += difflib.unified_diff(old, new, *names, lineterm="")
    lines += [f"# switch: {' '.join(argv)}" for argv in edit.switch]
    lines += [f"# switch back: {' '.join(argv)}" for argv in edit.switch_back]
    return lines
