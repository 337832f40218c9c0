"""What a command of xe is, what it may use, and the table of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from xapi_shim.base.errors import KronosError
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from collections.abc import Callable


class CommandError(KronosError):
    """What was asked makes no sense; the text is for the user."""


class MissingParameterError(CommandError):
    """A parameter that the command needs is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Required parameter not found: {name}")


class ApiError(KronosError):
    """A XenAPI call failed: an error code and its parameters."""

    def __init__(self, code: str, params: tuple[str, ...] = ()) -> None:
        super().__init__(": ".join((code, *params)))
        self.code, self.params = code, params


class ExitWithError(KronosError):
    """End with this status and say no more."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit {status}")
        self.status = status


class Api(Protocol):
    """A session: `call` takes a message's name and its arguments after the session."""

    session: str

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401 -- any XenAPI value
        """Call a message; integers are numbers, dates texts. Raises ApiError."""


class Terminal(Protocol):
    """The user's end of the line."""

    def print(self, text: str) -> None:
        """Print text and a line's end."""

    def print_error(self, text: str) -> None:
        """Print text to standard error as it is."""

    def error(self, code: str, params: tuple[str, ...]) -> None:
        """Show a XenAPI error."""

    def prompt(self) -> str:
        """Return a line that the user types."""

    def load(self, name: str) -> bytes:
        """Return a file of the user's. Raises ExitWithError when xe could not read it and said so."""

    def get(self, name: str, path: str) -> None:
        """Have the user's xe fetch `path` into file `name`. Raises ExitWithError."""

    def put(self, name: str, path: str) -> None:
        """Have the user's xe send file `name` to `path`. Raises ExitWithError."""

    def console(self, path: str) -> None:
        """Join the user's terminal to `path`. Raises ExitWithError."""


@dataclass
class Store:
    """The records, each class fetched once."""

    api: Api
    _classes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def all(self, cls: str) -> dict[str, dict[str, Any]]:
        """Return all records of a class by ref. Raises ApiError."""
        if cls not in self._classes:
            self._classes[cls] = self.api.call(f"{cls}.get_all_records")
        return self._classes[cls]

    def forget(self) -> None:
        """Fetch anew what is asked for next."""
        self._classes.clear()


@dataclass
class Context:
    """One run of a command: its arguments, `k=v` each, and who it talks to."""

    command: Command
    args: dict[str, str]
    minimal: bool
    api: Api
    terminal: Terminal
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.api)

    def need(self, name: str) -> str:
        """Return an argument that must be there. Raises MissingParameterError."""
        if name not in self.args:
            raise MissingParameterError(name)
        return self.args[name]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a true-or-false argument. Raises CommandError."""
        text = self.args.get(name)
        return default if text is None else as_bool(name, text)

    def maps(self, name: str) -> dict[str, str]:
        """Return the arguments `name:key=value` as a map."""
        prefix = f"{name}:"
        return {key.removeprefix(prefix): value for key, value in self.args.items() if key.startswith(prefix)}

    def ref(self, cls: str, uuid: str) -> str:
        """Return the ref of a uuid. Raises ApiError."""
        return str(self.api.call(f"{cls}.get_by_uuid", uuid))

    def ref_of(self, name: str, cls: str) -> str:
        """Return the ref that argument `name` names by uuid, the null ref without it. Raises ApiError."""
        return self.ref(cls, self.args[name]) if self.args.get(name) else NULL_REF

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        """Call a message. Raises ApiError."""
        return self.api.call(method, *args)

    def print(self, text: str) -> None:
        """Print a result."""
        self.terminal.print(text)

    def print_uuid(self, cls: str, ref: str) -> None:
        """Print an object's uuid. Raises ApiError."""
        self.print(str(self.call(f"{cls}.get_uuid", ref)))

    def pool(self) -> str:
        """Return the pool's ref: `uuid=` names it, or it is the only one."""
        return (
            self.ref("pool", self.args["uuid"]) if "uuid" in self.args else str(self.call("pool.get_all")[0])
        )


def as_bool(name: str, text: str) -> bool:
    """Return true or false from xe's words for them. Raises CommandError."""
    lowered = text.lower()
    if lowered in ("true", "t", "yes", "y", "1"):
        return True
    if lowered in ("false", "f", "no", "n", "0"):
        return False
    raise CommandError(f"Failed to parse parameter '{name}': expecting 'true' or 'false'")


@dataclass(frozen=True)
class Command:
    """A command: what it needs, what it may be given, and what it does.

    `selects` names the objects it works on (vm, host or sr), chosen by selectors; `messages` are
    the XenAPI messages that it cannot do without, `file` says that it moves files or asks.
    """

    name: str
    run: Callable[[Context], None]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    selects: str = ""
    help: str = ""
    messages: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()


COMMANDS: dict[str, Command] = {}


def register(command: Command) -> None:
    """Put a command into the table. Raises ValueError when it is there."""
    if command.name in COMMANDS:
        raise ValueError(f"command {command.name} twice")
    COMMANDS[command.name] = command


def command(
    name: str, *required: str, optional: str = "", selects: str = "", messages: str = "", flags: str = ""
) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Register the decorated function as command `name`; its docstring is its help.

    `optional`, `messages` and `flags` are words with spaces between.
    """

    def enter(run: Callable[[Context], None]) -> Callable[[Context], None]:
        register(
            Command(
                name,
                run,
                required,
                tuple(optional.split()),
                selects,
                (run.__doc__ or "").strip(),
                tuple(messages.split()),
                frozenset(flags.split()),
            )
        )
        return run

    return enter
