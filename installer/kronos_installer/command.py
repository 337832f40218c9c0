"""What all commands share: options, exit statuses, how they ask and answer."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.flags import Asked
    from kronos_installer.host import Host
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
            print(text)

    def _agreed(self, question: str) -> bool:
        if self.options.yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask on", resolution="give --yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _need_root(self) -> None:
        if os.geteuid() != 0 and self.host.root == Path("/"):
            raise UsageError("only root can set up a host", resolution="use sudo")


def print_json(record: object) -> None:
    """Print the one document of a command."""
    print(json.dumps(record, indent=2))
