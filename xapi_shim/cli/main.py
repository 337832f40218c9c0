"""xe: the command line of XenAPI hosts."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.cli.rpc import Client

USAGE = """\
Usage: xe [-s HOST] [-p PORT] [-u USER] [-pw PASSWORD | -pwf FILE] [--minimal] COMMAND [NAME=VALUE ...]
       xe help [COMMAND | --all]

Without -s the command goes to this host's daemon through its unix socket (root only)."""


@dataclass(frozen=True)
class Options:
    """How to reach the daemon, and what to ask of it."""

    server: str = ""
    port: int = 443
    user: str = "root"
    password: str = ""
    minimal: bool = False
    socket: Path = field(default_factory=lambda: Paths().unix_socket)
    words: tuple[str, ...] = ()


class BadOptionError(KronosError):
    """An option that xe does not know, or one without its value."""


def parse_options(argv: Sequence[str], base: Options) -> Options:  # noqa: C901 -- one line an option
    """Split xe's own options from the command's words. Raises BadOptionError."""
    options, words, rest = base, [], list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("-s", "-p", "-u", "-pw", "-pwf", "--socket") and not rest:
            raise BadOptionError(f"option {word} needs a value")
        match word:
            case "-s":
                options = replace(options, server=rest.pop(0))
            case "-p":
                options = replace(options, port=_port(rest.pop(0)))
            case "-u":
                options = replace(options, user=rest.pop(0))
            case "-pw":
                options = replace(options, password=rest.pop(0))
            case "-pwf":
                options = _password_file(options, Path(rest.pop(0)))
            case "--socket":
                options = replace(options, socket=Path(rest.pop(0)))
            case "--minimal":
                options = replace(options, minimal=True)
            case "--debug" | "--nossl" | "--debug-on-fail":
                continue
            case _:
                words.append(word)
    return replace(options, words=tuple(words))


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise BadOptionError(f"not a port: {text!r}")
    return int(text)


def _password_file(options: Options, path: Path) -> Options:
    try:
        user, password, *_ = [*path.read_text().splitlines(), "", ""]
    except OSError as error:
        raise BadOptionError(f"{path}: {error.strerror}") from error
    return replace(options, user=user, password=password)


def settings_file(text: str, base: Options) -> Options:
    """Read ~/.xe: lines such as server=, port=, username=, password=."""
    found = dict(line.strip().split("=", 1) for line in text.splitlines() if "=" in line)
    return replace(
        base,
        server=found.get("server", base.server),
        port=_port(found["port"]) if "port" in found else base.port,
        user=found.get("username", base.user),
        password=found.get("password", base.password),
    )


def parse_words(words: Sequence[str]) -> dict[str, str]:
    """Return the command's arguments: `k=v` as they are, `--k` as k=true. Raises BadOptionError."""
    args = {}
    for word in words:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            args[name[2:]] = value if equals else "true"
        elif equals:
            args[name] = value
        else:
            raise BadOptionError(f"not NAME=VALUE: {word!r}")
    return args


def _options(argv: Sequence[str]) -> Options:
    base = Options()
    rc = Path.home() / ".xe"
    if rc.is_file():
        base = settings_file(rc.read_text(), base)
    return parse_options([*shlex.split(os.environ.get("XE_EXTRA_ARGS", "").replace(",", " ")), *argv], base)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit 0 when it was done, 1 with a message on stderr when not."""
    try:
        options = _options(sys.argv[1:] if argv is None else argv)
        if not options.words or options.words[0] in ("help", "--help", "-help"):
            return _help(options.words[1:])
        return _run(options)
    except KronosError as error:
        return _complain(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 130


def _complain(error: KronosError) -> int:
    from xapi_shim.cli.rpc import ApiFailureError

    if isinstance(error, ApiFailureError):
        print(f"Error code: {error.code}", file=sys.stderr)
        print(f"Error parameters: {', '.join(error.params)}", file=sys.stderr)
    else:
        print(str(error), file=sys.stderr)
    return 1


def _table() -> None:
    from xapi_shim.cli import explicit, generated

    del explicit  # importing it fills the table
    generated.register()


def _run(options: Options) -> int:
    from xapi_shim.cli.command import COMMANDS, Context, UsageError

    _table()
    name, *words = options.words
    found = COMMANDS.get(name)
    if found is None:
        print(f"Unknown command: {name}\nFor usage run: 'xe help'", file=sys.stderr)
        return 1
    args = parse_words(words)
    minimal = args.pop("minimal", "true" if options.minimal else "false") == "true"
    for needed in found.required:
        if needed not in args:
            raise UsageError(f"Required parameter not found: {needed}\nFor usage run: 'xe help {name}'")
    client = _connect(options)
    try:
        found.run(Context(found, args, minimal, client))
    finally:
        _log_out(client)
    sys.stdout.flush()
    return 0


def _connect(options: Options) -> Client:
    from xapi_shim.cli.rpc import Client

    client = Client.remote(options.server, options.port) if options.server else Client.local(options.socket)
    client.login(options.user, options.password)
    return client


def _log_out(client: Client) -> None:
    from xapi_shim.cli.rpc import ApiFailureError, ConnectionFailedError

    # The session ends by itself too; the command's own outcome is what matters.
    with contextlib.suppress(ApiFailureError, ConnectionFailedError):
        client.logout()


def _help(words: Sequence[str]) -> int:
    from xapi_shim.cli.command import COMMANDS

    _table()
    names = [word for word in words if word != "--all"]
    if not names:
        print(USAGE + "\n\nCommands:")
        for known in sorted(COMMANDS):
            print(f"  {known}")
        return 0
    for name in names:
        if name not in COMMANDS:
            print(f"Unknown command: {name}", file=sys.stderr)
            return 1
        command = COMMANDS[name]
        print(f"command name            : {command.name}")
        print(f"        reqd params     : {', '.join(command.required)}")
        print(
            f"        optional params : {', '.join((*command.optional, *(('<vm-selectors>',) if command.selects else ())))}"
        )
        print(f"        {command.help}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
