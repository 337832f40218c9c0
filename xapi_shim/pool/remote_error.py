"""A XenAPI error as hosts of a pool tell each other: code and parameters."""

from __future__ import annotations

from xapi_shim.datamodel.errors import XenAPIError


class RemoteError(XenAPIError):
    """An error that happened on another host."""

    def __init__(self, code: str, *params: str) -> None:
        super().__init__(*params)
        self._described = [code, *params]

    def description(self) -> list[str]:
        return list(self._described)


def error_document(error: XenAPIError) -> dict[str, object]:
    """Return an error as JSON can say it."""
    return {"error": error.description()}


def raise_error(document: object) -> None:
    """Raise RemoteError for the document of one; nothing for any other."""
    match document:
        case {"error": [str(code), *params]}:
            raise RemoteError(code, *map(str, params))
        case _:
            return
