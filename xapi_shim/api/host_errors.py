"""How refusals of the host's own system are told to clients."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from xapi_shim.datamodel.errors import InternalErrorError, OperationNotAllowedError
from xapi_shim.host.interface import HostError, NotHereError
from xapi_shim.network.interface import NetworkError
from xapi_shim.xen.interface import XenError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def host_errors() -> Iterator[None]:
    """Turn them into OPERATION_NOT_ALLOWED [why] for what the host has not, INTERNAL_ERROR [why] for the rest."""
    try:
        yield
    except NotHereError as error:
        raise OperationNotAllowedError(str(error)) from error
    except (HostError, NetworkError, XenError) as error:
        raise InternalErrorError(str(error)) from error
