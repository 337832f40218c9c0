"""`typing.override` (PEP 698) for Python 3.11, without a run-time dependency for the sake of a marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import override

    __all__ = ["override"]
else:

    def override(method: object) -> object:
        """Mark a method as replacing its base class's."""
        return method
