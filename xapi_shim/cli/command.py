"""What a command of xe is, and the table of all of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xapi_shim.base.errors import KronosError
from xapi_shim.cli.records import CLASSES, Store, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.cli.rpc import Client


class UsageError(KronosError):
    """The command's words are off."""


@dataclass
class Context:
    """One run of a command: its arguments, `k=v` each, and the connection."""

    command: Command
    args: dict[str, str]
    minimal: bool
    client: Client
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = Store(self.client)

    def need(self, name: str) -> str:
        """Return an argument that must be there. Raises UsageError."""
        if name not in self.args:
            raise UsageError(f"Required parameter not found: {name}")
        return self.args[name]

    def flag(self, name: str) -> bool:
        """Return a true-or-false argument, false unless given. Raises UsageError."""
        text = self.args.get(name, "false").lower()
        if text not in ("true", "false", "1", "0", "yes", "no"):
            raise UsageError(f"{name} is true or false, not {text!r}")
        return text in ("true", "1", "yes")

    def maps(self, name: str) -> dict[str, str]:
        """Return the arguments `name:key=value` as a map."""
        prefix = f"{name}:"
        return {key.removeprefix(prefix): value for key, value in self.args.items() if key.startswith(prefix)}

    def ref(self, cls: str, uuid: str) -> str:
        """Return the ref of a uuid."""
        return str(self.client.call(f"{cls}.get_by_uuid", uuid))

    def call(self, method: str, *args: Any) -> Any:  # noqa: ANN401
        return self.client.call(method, *args)

    @staticmethod
    def print(text: str) -> None:
        """Print a result."""
        sys.stdout.write(text + "\n")

    def selected_vms(self) -> list[str]:
        """Return the refs of the VMs that `uuid=`, `vm=` or any parameter select. Raises UsageError.

        More than one needs --multiple, as in the reference.
        """
        wanted = {
            k: v
            for k, v in self.args.items()
            if k not in (*self.command.required, *self.command.optional, "multiple")
        }
        name = wanted.pop("vm", None)
        if name is not None:
            found = [r for r, row in self._vms() if name in (row["name_label"], row["uuid"])]
        elif wanted:
            found = [r for r, row in self._vms() if self._matches(row, wanted)]
        else:
            raise UsageError("Required parameter not found: uuid (or vm=NAME)")
        if not found:
            raise UsageError("No matching VMs found")
        if len(found) > 1 and not self.flag("multiple"):
            raise UsageError("Multiple matches VMs found. --multiple required to complete the operation")
        return found

    def _vms(self) -> list[tuple[str, dict[str, Any]]]:
        rows = self.store.all("VM").items()
        return [(ref, row) for ref, row in rows if not row["is_a_template"] and not row["is_control_domain"]]

    def _matches(self, row: dict[str, Any], wanted: dict[str, str]) -> bool:
        known = parameters(CLASSES["vm"])
        if unknown := wanted.keys() - known.keys():
            raise UsageError(f"Unknown parameter: {sorted(unknown)[0]}")
        return all(known[k].text(row, self.store) == v for k, v in wanted.items())


@dataclass(frozen=True)
class Command:
    """A command: what it needs, what it may be given, and what it does. `selects` takes VM selectors."""

    name: str
    run: Callable[[Context], None]
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    selects: bool = False
    help: str = ""


COMMANDS: dict[str, Command] = {}


def command(
    name: str, *required: str, optional: tuple[str, ...] = (), selects: bool = False
) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
    """Register the decorated function as command `name`; its docstring is its help."""

    def register(run: Callable[[Context], None]) -> Callable[[Context], None]:
        COMMANDS[name] = Command(name, run, required, optional, selects, (run.__doc__ or "").strip())
        return run

    return register
