"""Values as xe's users type them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xapi_shim.cli.engine.command import CommandError, as_bool
from xapi_shim.datamodel.types import NULL_REF, Kind

if TYPE_CHECKING:
    from xapi_shim.cli.engine.command import Context
    from xapi_shim.datamodel.types import Type

UNITS = {"": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def size_bytes(name: str, text: str) -> int:
    """Return a whole number of bytes, with one of xe's units after it or none. Raises CommandError."""
    digits = text.rstrip("BKMGTibytes")
    unit = text[len(digits) :].strip()
    if not digits.strip().removeprefix("-").isdecimal() or unit not in UNITS:
        raise CommandError(
            f"Failed to parse parameter '{name}': expecting a whole number, or one with "
            "'bytes', 'KiB', 'MiB', 'GiB' or 'TiB'"
        )
    return int(digits) * UNITS[unit]


def whole(name: str, text: str) -> int:
    """Return a whole number. Raises CommandError."""
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"Failed to parse parameter '{name}': expecting an integer") from None


def number(name: str, text: str) -> float:
    """Return a number. Raises CommandError."""
    try:
        return float(text)
    except ValueError:
        raise CommandError(f"Failed to parse parameter '{name}': expecting a number") from None


def items(text: str) -> list[str]:
    """Return what stands between commas (or semicolons)."""
    return [one.strip() for one in text.split(";" if ";" in text else ",") if one.strip()]


def from_text(of: Type, name: str, text: str, ctx: Context) -> Any:  # noqa: ANN401
    """Return a value of a declared type from xe's text. Raises CommandError, ApiError."""
    match of.kind:
        case Kind.BOOL:
            return as_bool(name, text)
        case Kind.FLOAT:
            return number(name, text)
        case Kind.INT:
            return size_bytes(name, text)
        case Kind.REF:
            return NULL_REF if text in ("", NULL_REF) else ctx.ref(of.name, text)
        case Kind.SET:
            return [from_text(of.of[0], name, one, ctx) for one in items(text)]
        case Kind.MAP:
            raise CommandError(f"{name} is a map: set its keys one by one, {name}:KEY=VALUE")
        case _:
            return text
