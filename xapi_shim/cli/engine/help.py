"""xe help: what commands there are, and what each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.cli.engine.interpreter import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xapi_shim.cli.engine.command import Command, Terminal

USAGE = """\
Usage: xe COMMAND [-s SERVER] [-p PORT] [-u USER] [-pw PASSWORD | -pwf FILE] [NAME=VALUE ...]
"""
SELECTORS = {"vm": "<vm-selectors>", "host": "<host-selectors>", "sr": "<sr-selectors>"}
WIDTH = 78


def run_help(args: Mapping[str, str], *, minimal: bool, terminal: Terminal) -> int:
    """Print help: an overview, `--all` commands, or those named. Return the exit status."""
    names = [name for name in args if name not in ("all", "minimal")]
    known = commands()
    if not names:
        shown = [c for c in known.values() if "hidden" not in c.flags]
        if "all" not in args:
            shown = [c for c in shown if "standard" in c.flags]
        words = sorted(c.name for c in shown)
        if minimal or args.get("minimal") == "true":
            terminal.print(",".join(words))
        else:
            terminal.print(_overview(words, everything="all" in args))
        return 0
    status = 0
    for name in names:
        if name in known:
            terminal.print(_page(known[name]))
        else:
            terminal.print_error(f"No help topic for '{name}': it is not a command\n")
            status = 1
    return status


def _overview(names: list[str], *, everything: bool) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) + 2 > WIDTH:
            lines.append(line)
            line = ""
        line += f"{name}, "
    lines.append(line.rstrip(", "))
    listing = "\n".join(one.rstrip() for one in lines)
    head = "All commands:" if everything else "Common commands:"
    more = "" if everything else "\nA full list of commands can be had with: xe help --all\n"
    return f"{USAGE}\n{head}\n\n{listing}\n{more}\nFor help on a command: xe help COMMAND"


def _page(command: Command) -> str:
    optional = [*command.optional, *([SELECTORS[command.selects]] if command.selects in SELECTORS else [])]
    return (
        f"command name        : {command.name}\n"
        f"        reqd params     : {', '.join(command.required)}\n"
        f"        optional params : {', '.join(optional)}\n"
        f"        description     : {command.help}\n"
    )
