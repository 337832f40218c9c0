"""The program's streams as callers leave them. The real program on a captured host, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from installer_kit import make_host, snapshot

from kronos_installer.journal import Journal, Phase

if TYPE_CHECKING:
    from kronos_installer.host import Host

HERE = Path(__file__).parent
REPO = HERE.parents[2]
PROGRAM = (
    "import sys; from pathlib import Path\n"
    f"sys.path[:0] = [{str(REPO)!r}, {str(REPO / 'installer')!r}, {str(HERE)!r}]\n"
    "from installer_kit import FakeCommands\n"
    "from kronos_installer.main import main\n"
    "sys.exit(main(runner=FakeCommands(Path(sys.argv[-1]))))\n"
)


# A caller's PYTHONUNBUFFERED would hide what buffers keep when a stream cannot be written; the program is run without it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run(host: Host, redirections: str, *args: str, env: dict[str, str] | None = None) -> int:
    """Run the program by a shell, for its redirections; return its own exit status."""
    argv = [sys.executable, "-c", PROGRAM, *args, "--root", str(host.root)]
    return subprocess.run(
        ["/bin/sh", "-c", f'"$@" {redirections}', "sh", *argv],
        check=False,
        env={**ENVIRONMENT, **(env or {})},
    ).returncode


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return make_host(tmp_path)


@pytest.mark.parametrize("redirections", [">/dev/null 2>/dev/full", ">/dev/null 2>&-"])
def test_an_apply_whose_progress_nobody_reads_goes_on(host: Host, redirections: str) -> None:
    assert run(host, redirections, "apply", "--yes") == 0
    assert Journal(host).load().phase is Phase.APPLIED


def test_a_failing_apply_whose_progress_nobody_reads_is_undone(host: Host) -> None:
    before = snapshot(host)
    # grub-mkconfig fails, half-way through the set-up.
    menu = "import installer_kit; installer_kit.FakeCommands._menu = lambda self: 'missing.cfg'\n"
    argv = [
        sys.executable,
        "-c",
        PROGRAM.replace("from kronos_installer.main", menu + "from kronos_installer.main"),
    ]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*argv, "apply", "--yes", "--root", str(host.root)], check=False, stderr=full,
                              stdout=subprocess.DEVNULL, env=ENVIRONMENT)  # fmt: skip
    assert done.returncode == 1
    assert snapshot(host) == before


def test_an_apply_that_cannot_answer_says_so_and_not_that_it_failed(host: Host, tmp_path: Path) -> None:
    said = tmp_path / "said"
    assert run(host, f">/dev/full 2>{said}", "apply", "--yes", "--json") == 5
    assert Journal(host).load().phase is Phase.APPLIED
    assert said.read_text().endswith("the answer could not be written: No space left on device\n")
    assert "Traceback" not in said.read_text()


@pytest.mark.parametrize("command", ["check", "plan", "status", "doctor"])
def test_a_reader_that_leaves_is_no_fault_of_the_programs(host: Host, tmp_path: Path, command: str) -> None:
    said = tmp_path / "said"
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-c", PROGRAM, command, "--json", "--root", str(host.root)]
    with said.open("w") as file:
        done = subprocess.run(argv, check=False, stdout=writer, stderr=file, env=ENVIRONMENT)
    os.close(writer)
    assert done.returncode == (5 if command == "doctor" else 0)
    assert said.read_text() == ""


def test_stdout_holds_one_document_where_stderr_is_closed(host: Host, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    assert run(host, f">{answer} 2>&-", "apply", "--yes", "--json") == 0
    assert json.loads(answer.read_text())["outcome"] == "applied"


def test_without_stdin_there_is_nobody_to_ask(host: Host, tmp_path: Path) -> None:
    said = tmp_path / "said"
    assert run(host, f"<&- >/dev/null 2>{said}", "apply") == 2
    assert "there is no terminal to ask on" in said.read_text()


def test_text_beyond_the_callers_encoding_is_escaped(host: Host, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    latin = {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert (
        run(
            host,
            f">{answer} 2>/dev/null",
            "plan",
            "--iso-library",
            "directory:/srv/iso,name=Bänder",
            env=latin,
        )
        == 0
    )
    assert r"B\xe4nder" in answer.read_text()


def test_ctrl_c_is_a_document_too(host: Host) -> None:
    stopped = PROGRAM.replace(
        "sys.exit(", "FakeCommands._menu = lambda self: signal.raise_signal(signal.SIGINT)\nsys.exit("
    )
    argv = [
        sys.executable,
        "-c",
        # A shell without job control lets its background jobs inherit that the signal is ignored.
        f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{stopped}",
        "apply",
        "--yes",
        "--json",
        "--root",
        str(host.root),
    ]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert done.returncode == 128 + signal.SIGINT
    assert json.loads(done.stdout)["outcome"] == "interrupted"
    assert Journal(host).load().phase is Phase.APPLYING
