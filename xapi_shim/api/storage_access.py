"""From SR records to storage drivers, and from their errors to XenAPI's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from xapi_shim.api.storage_secrets import with_passwords
from xapi_shim.datamodel.errors import (
    SrBackendFailureError,
    SrFullError,
    SrOperationNotSupportedError,
    SrUnknownDriverError,
)
from xapi_shim.storage.interface import SrNoSpaceError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.storage.interface import SrDriver


# The reference's number for what the storage itself fails at.
EIO = 200


def make_driver(tools: Toolstack, sr_type: str, device_config: Mapping[str, str], sr_uuid: str) -> SrDriver:
    """Return a driver. Raises SR_UNKNOWN_DRIVER [type], SR_BACKEND_FAILURE_*."""
    factory = tools.sr_types.get(sr_type)
    if factory is None:
        raise SrUnknownDriverError(sr_type)
    with storage_errors(sr_uuid):
        return factory(with_passwords(tools.db, device_config), sr_uuid)


def driver_of_pbd(tools: Toolstack, pbd: str) -> SrDriver:
    """Return the driver of a PBD, plugged or not. Raises SR_UNKNOWN_DRIVER [type], SR_BACKEND_FAILURE_*."""
    db = tools.db
    sr = db.text("PBD", pbd, "SR")
    return make_driver(
        tools, db.text("SR", sr, "type"), db.mapping("PBD", pbd, "device_config"), db.text("SR", sr, "uuid")
    )


def check_capability(driver: SrDriver, capability: str, sr: str) -> None:
    """Raise SR_OPERATION_NOT_SUPPORTED [sr] for what SRs of its kind cannot do."""
    if capability not in driver.driver_info().capabilities:
        raise SrOperationNotSupportedError(sr)


def local_pbd(tools: Toolstack, sr: str) -> str | None:
    """Return this host's PBD of `sr`."""
    db = tools.db
    return next((p for p in db.items("SR", sr, "PBDs") if db.text("PBD", p, "host") == tools.host), None)


def driver_of(tools: Toolstack, sr: str) -> SrDriver | None:
    """Return the driver of an SR that is plugged into this host, None where it is not."""
    pbd = local_pbd(tools, sr)
    if pbd is None or not tools.db.flag("PBD", pbd, "currently_attached"):
        return None
    return driver_of_pbd(tools, pbd)


@contextmanager
def storage_errors(sr: str) -> Iterator[None]:  # noqa: ARG001
    """Turn a driver's errors into SR_FULL [requested; maximum] and SR_BACKEND_FAILURE_n."""
    try:
        yield
    except SrNoSpaceError as error:
        raise SrFullError(str(error.needed_bytes), str(error.free_bytes)) from error
    except StorageError as error:
        raise SrBackendFailureError(error.code, error.message, error.details) from error
    except OSError as error:
        raise SrBackendFailureError(EIO, str(error)) from error


async def refresh_sizes(tools: Toolstack, sr: str) -> None:
    """Read an SR's sizes from its driver into its record. Raises SR_BACKEND_FAILURE_*."""
    driver = driver_of(tools, sr)
    if driver is None:
        return
    with storage_errors(sr):
        stat = await driver.stat()
    tools.db.update(
        "SR",
        sr,
        physical_size=stat.physical_size_bytes,
        physical_utilisation=stat.physical_utilisation_bytes,
        virtual_allocation=stat.virtual_allocation_bytes,
    )
