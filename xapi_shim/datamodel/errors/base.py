"""What every XenAPI error is: a code and parameters, all text, in the order clients expect.

On the wire an error is the list [code, parameter, ...]; `names` says what the parameters
are. A few codes are documented with parameters that the reference leaves out or adds to,
so that the count is not enforced.
"""

from __future__ import annotations

from typing import ClassVar


class XenAPIError(Exception):
    """The root; raise one of the classes of this package."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *params: str) -> None:
        super().__init__(*params)
        self.params = params

    def description(self) -> list[str]:
        """Return what travels: the code, then the parameters."""
        return [self.code, *self.params]

    def __str__(self) -> str:
        code = self.description()[0]
        told = ", ".join(
            f"{name}={value}" if name else value
            for name, value in zip((*self.names, *("" for _ in self.params)), self.params, strict=False)
        )
        return f"{code}: {told}" if told else code


class SrBackendFailureError(XenAPIError):
    """A storage driver's own error: SR_BACKEND_FAILURE_n ["", reason, details]."""

    code = "SR_BACKEND_FAILURE"
    names = ("status", "stdout", "stderr")

    def __init__(self, number: int, reason: str, details: str = "") -> None:
        super().__init__("", reason, details)
        self.number = number

    def description(self) -> list[str]:
        return [f"SR_BACKEND_FAILURE_{self.number}", *self.params]
