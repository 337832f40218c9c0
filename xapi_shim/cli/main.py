"""xe: the command line of XenAPI hosts. It sends its words to a host, which does the work.

What is imported here is imported at every start: no more than the work needs.
"""

from __future__ import annotations

import os
import sys

from xapi_shim.cli.protocol import ProtocolError
from xapi_shim.cli.thin import ConnectionFailedError, OutputClosedError, ThinClient, open_tcp, open_unix

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

USAGE = """\
Usage: xe COMMAND [-s SERVER] [-p PORT] [-u USER] [-pw PASSWORD | -pwf FILE] [--nossl] [--debug] [NAME=VALUE ...]

Without -s the command goes to this host's daemon through its unix socket (root only).
A full list of commands can be had with: xe help --all
"""
UNIX_SOCKET = "/var/lib/xcp/xapi"
LOCAL = ("", "127.0.0.1", "localhost")
WITH_VALUE = {
    "-s": "server", "-p": "port", "-u": "username", "-pw": "password", "-pwf": "passwordfile",
    "--traceparent": "traceparent", "--socket": "socket",
}  # fmt: skip
SWITCHES = {"--nossl": "nossl", "--debug": "debug", "--debug-on-fail": "debugonfail", "--trace": "trace"}


class BadOptionError(Exception):
    """An option that xe does not know, or one without its value."""


def parse_words(argv: Iterable[str], settings: dict[str, str]) -> list[str]:
    """Put xe's own options into `settings`, and return the other words. Raises BadOptionError."""
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word in WITH_VALUE:
            value = next(rest, None)
            if value is None:
                raise BadOptionError(f"option {word} needs a value")
            settings[WITH_VALUE[word]] = value
        elif word in SWITCHES:
            settings[SWITCHES[word]] = "true"
        else:
            words.append(word)
    return words


def read_settings(text: str, settings: dict[str, str]) -> None:
    """Read ~/.xe: lines such as server=, port=, username=, password=, passwordfile=, nossl=."""
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            settings[name.strip()] = value.strip()


def read_extra(text: str, settings: dict[str, str]) -> list[str]:
    """Read XE_EXTRA_ARGS, words after commas or spaces: `server=H,port=443` or `-s H`."""
    options, words = [], text.replace(",", " ").split()
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in (*WITH_VALUE.values(), *SWITCHES.values()):
            settings[name] = value
        else:
            options.append(word)
    return parse_words(options, settings)


def _settings_file() -> str:
    home = os.environ.get("HOME", "/root")
    try:
        with open(f"{home}/.xe", encoding="utf-8") as file:  # noqa: PTH123 -- pathlib costs start-up time
            return file.read()
    except OSError:
        return ""


def _read_password_file(settings: dict[str, str]) -> None:
    """Take user and password from the two lines of the password file. Raises BadOptionError."""
    name = settings.get("passwordfile")
    if not name:
        return
    try:
        with open(name, encoding="utf-8") as file:  # noqa: PTH123 -- pathlib costs start-up time
            lines = file.read().splitlines()
    except OSError as error:
        raise BadOptionError(f"{name}: {error.strerror}") from error
    if len(lines) < 2:
        raise BadOptionError(f"{name}: a user's name and a password expected, a line each")
    settings["username"], settings["password"] = lines[0], lines[1]


def _port(settings: dict[str, str], *, tls: bool) -> int:
    text = settings.get("port", "")
    if not text:
        return 443 if tls else 80
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise BadOptionError(f"not a port: {text!r}")
    return int(text)


def _connect(settings: dict[str, str]) -> socket.socket:
    """Connect to the host that the settings name. Raises BadOptionError, ConnectionFailedError."""
    server = settings.get("server", "")
    tls = settings.get("nossl", "false") != "true"
    port = _port(settings, tls=tls)
    if not server or (server in LOCAL and not settings.get("port")):
        try:
            return open_unix(settings.get("socket", UNIX_SOCKET))
        except ConnectionFailedError:
            if not server:
                raise
    _ask_for_password(settings)
    return open_tcp(server, port, tls=tls)


def _ask_for_password(settings: dict[str, str]) -> None:
    """Ask at the terminal for what a far host wants and nobody gave."""
    if settings.get("password") or not sys.stdin.isatty():
        return
    from getpass import getpass

    if not settings.get("username"):
        sys.stderr.write("User name: ")
        sys.stderr.flush()
        settings["username"] = sys.stdin.readline().strip()
    settings["password"] = getpass("Password: ")


def _run(argv: list[str]) -> int:
    settings: dict[str, str] = {}
    read_settings(_settings_file(), settings)
    extra = read_extra(os.environ.get("XE_EXTRA_ARGS", ""), settings)
    words = [*extra, *parse_words(argv, settings)]
    if not words or words[0] in ("-help", "--help"):
        words = ["help", *words[1:]]
    if any("\n" in word for word in words):
        raise BadOptionError("an argument is one line")
    _read_password_file(settings)
    try:
        connection = _connect(settings)
    except ConnectionFailedError:
        if words != ["help"]:
            raise
        # Commands are the host's to explain; xe's own usage needs no host.
        print(USAGE, end="")
        return 0
    lines = [
        *words,
        f"username={settings.get('username', 'root')}",
        f"password={settings.get('password', '')}",
    ]
    client = ThinClient(connection, words, debug=settings.get("debug") == "true")
    try:
        return client.run("\n".join(lines) + "\n")
    finally:
        sys.stdout.flush()


def main(argv: list[str] | None = None) -> int:
    """Run one command. Exit as the host says: 0 when it was done."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except BadOptionError as error:
        sys.stderr.write(f"Syntax error: {error}\n{USAGE}")
    except (ConnectionFailedError, ProtocolError) as error:
        sys.stderr.write(f"Error: {error}\n")
    except (BrokenPipeError, OutputClosedError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main())
