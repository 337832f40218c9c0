"""A XenAPI error as hosts of a pool tell each other: code and parameters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from xapi_shim.datamodel import errors
from xapi_shim.datamodel.errors import XenAPIError

if TYPE_CHECKING:
    from collections.abc import Mapping


class RemoteError(XenAPIError):
    """An error that happened on another host, with a code that is not declared here."""

    def __init__(self, code: str, *params: str) -> None:
        super().__init__(*params)
        self._described = [code, *params]

    def description(self) -> list[str]:
        return list(self._described)


@cache
def _by_code() -> Mapping[str, type[XenAPIError]]:
    # A storage driver's code has its number in it.
    declared = [
        one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, XenAPIError)
    ]
    return {
        one.code: one for one in declared if "code" in vars(one) and one is not errors.SrBackendFailureError
    }


def remote_error(code: str, *params: str) -> XenAPIError:
    """Return the error that another host has told of, as what is raised for it here."""
    cls = _by_code().get(code)
    if cls is None:
        return RemoteError(code, *params)
    # Some are made of something else than of what they tell.
    error = cls.__new__(cls)
    XenAPIError.__init__(error, *params)
    return error


def error_document(error: XenAPIError) -> dict[str, object]:
    """Return an error as JSON can say it."""
    return {"error": error.description()}


def raise_error(document: object) -> None:
    """Raise the XenAPIError of its document; nothing for any other."""
    match document:
        case {"error": [str(code), *params]}:
            raise remote_error(code, *map(str, params))
        case _:
            return
