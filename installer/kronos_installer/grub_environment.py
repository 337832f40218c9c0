"""GRUB's environment block: 1024 bytes with a few variables that outlive a boot.

GRUB manual, "The GRUB environment block"; grub-editenv(1). A signature line, then `NAME=VALUE`
lines, then `#` up to the end. A line feed or backslash in a value is written with a backslash before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE = "# GRUB Environment Block\n"
NEXT_ENTRY = "next_entry"
SAVED_ENTRY = "saved_entry"
# A name, `=`, and a value in which the line ends at the first line feed that no backslash protects.
_VARIABLE = re.compile(r"^([^=#\n][^=\n]*)=((?:[^\\\n]|\\.)*)$", re.MULTILINE | re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse_environment(text: str) -> dict[str, str]:
    """Return the variables of a block; of a name that is there twice GRUB takes the last one."""
    return {name: _ESCAPED.sub(r"\1", value) for name, value in _VARIABLE.findall(text)}


def drop_variable(block: bytes, name: str) -> bytes:
    """Return the block without a variable, as long as before: `#` fill up the end."""
    line = rb"^" + re.escape(name.encode()) + rb"=(?:[^\\\n]|\\.)*\n"
    return re.sub(line, b"", block, flags=re.MULTILINE | re.DOTALL).ljust(len(block), b"#")


def without(variables: Mapping[str, str], name: str) -> dict[str, str]:
    """Return the variables but one, and without those that are empty: to GRUB's scripts the same as unset."""
    return {key: value for key, value in variables.items() if key != name and value}
