"""What all commands share: options, exit statuses, how they ask and answer."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_installer.interview import interview, terminal
from kronos_installer.master_certificate import compare_certificate
from kronos_installer.standard_streams import answer
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.facts import Facts
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
    from kronos_installer.wishes import PoolWish
    from xapi_shim.base.progress import Reporter


class Exit(IntEnum):
    """The exit statuses of xapi-host-setup; 2 is argparse's for wrong usage."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    DECLINED = 4
    ATTENTION = 5


class UsageError(KronosError):
    """The command cannot be meant like this here."""

    exit_status = 2


@dataclass(frozen=True)
class Options:
    """The command line, as far as the commands care."""

    json: bool = False
    yes: bool = False
    force: bool = False
    remove_packages: bool = False
    switch_network_now: bool = False
    here: bool = False
    asked: Asked = field(default_factory=dict)
    save: str = ""
    plan_file: str = ""


@dataclass(frozen=True)
class Command:
    """A command's host, options and reporter."""

    host: Host
    options: Options
    reporter: Reporter

    def _say(self, record: object, text: str) -> None:
        if self.options.json:
            print_json(record)
        else:
            answer(text)

    def _agreed(self, question: str) -> bool:
        if self.options.yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask on", resolution="give --yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _interview(self) -> Callable[[Facts], Asked] | None:
        """Return what asks the operator, where one sits at a terminal and has not said anything yet."""
        on = None if self.options.yes or self.options.json or self.options.asked else terminal()
        return partial(interview, terminal=on) if on else None

    def _compare(self) -> Callable[[PoolWish], PoolWish] | None:
        """Return what asks the operator about a master's certificate, where one sits at a terminal."""
        on = None if self.options.yes or self.options.json else terminal()
        return partial(compare_certificate, terminal=on) if on else None

    def _need_root(self) -> None:
        if os.geteuid() != 0 and self.host.root == Path("/"):
            raise UsageError("only root can set up a host", resolution="use sudo")


def print_json(record: object) -> None:
    """Print the one document of a command."""
    answer(json.dumps(record, indent=2))
