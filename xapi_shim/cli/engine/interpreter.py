"""From xe's words to a command that runs, and from its errors to text and an exit status."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from xapi_shim.cli.engine.command import (
    COMMANDS,
    ApiError,
    Command,
    CommandError,
    Context,
    ExitWithError,
    MissingParameterError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xapi_shim.cli.engine.command import Api, Terminal

TABLES = (
    "table_pool", "table_host", "table_vm", "table_snapshot", "table_storage", "table_network", "table_devices",
    "table_files", "table_export", "table_diagnostics",
)  # fmt: skip
USAGE_HINT = "For usage run: 'xe help'"


class BadSyntaxError(CommandError):
    """A word that is not NAME=VALUE."""


class Line(NamedTuple):
    """What came in: the command and its arguments; who asks (no part of the command's arguments)."""

    name: str
    args: dict[str, str]
    session: str
    user: str
    password: str


@cache
def commands() -> Mapping[str, Command]:
    """Return all commands by name; the first call builds the table."""
    from xapi_shim.cli.engine.generated import register_generated

    for table in TABLES:
        importlib.import_module(f"xapi_shim.cli.engine.{table}")
    register_generated()
    return COMMANDS


def parse_lines(lines: Sequence[str]) -> Line:
    """Return what a request's lines say. Raises BadSyntaxError."""
    rest = [line for line in lines if line]
    session = ""
    if rest and rest[0].startswith("session_id="):
        session = rest.pop(0).partition("=")[2]
    if not rest:
        raise BadSyntaxError("no command")
    name, *words = rest
    # xe puts who asks behind the command's own words: the last one counts.
    words, user = _take(words, "username")
    words, password = _take(words, "password")
    return Line(name, parse_words(words, bare=name == "help"), session, user, password)


def _take(words: list[str], name: str) -> tuple[list[str], str]:
    """Return the words without the last `name=VALUE`, and its value."""
    for at in range(len(words) - 1, -1, -1):
        if words[at].startswith(f"{name}="):
            return words[:at] + words[at + 1 :], words[at].partition("=")[2]
    return words, ""


def parse_words(words: Sequence[str], *, bare: bool = False) -> dict[str, str]:
    """Return the arguments: `k=v` as they are, `--k` as k=true. Raises BadSyntaxError unless `bare`."""
    args: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            args[name[2:]] = value if equals else "true"
        elif equals:
            args[name] = value
        elif bare:
            args[word] = ""
        else:
            raise BadSyntaxError(f"not NAME=VALUE: '{word}'")
    return args


def check(name: str, args: Mapping[str, str]) -> Command:
    """Return the command, all its required arguments being there. Raises CommandError."""
    command = commands()[name]
    for needed in command.required:
        if needed not in args:
            raise MissingParameterError(needed)
    return command


def run(line: Line, api: Api, terminal: Terminal) -> int:
    """Run a command and return the status that xe is to exit with."""
    if line.name not in commands():
        terminal.print_error(f"Unknown command: {line.name}\n{USAGE_HINT}\n")
        return 1
    args = dict(line.args)
    try:
        minimal = args.pop("minimal", "false") == "true"
        # Nothing of xe's own is a filter or a selector.
        for own in ("trace", "traceparent", "debug"):
            args.pop(own, None)
        command = check(line.name, args)
        command.run(Context(command, args, minimal, api, terminal))
    except ApiError as error:
        terminal.error(error.code, error.params)
        return 1
    except MissingParameterError as error:
        terminal.print_error(f"{error.message}\n{USAGE_HINT}\n")
        return 1
    except CommandError as error:
        terminal.print_error(f"Error: {error}\n")
        return 1
    except ExitWithError as error:
        return error.status
    return 0
