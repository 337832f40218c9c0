"""Joining and leaving a directory of users (host.*, pool.*), and questions to it (auth.*)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar, cast

from xapi_shim.api.external_auth import directory, end_sessions
from xapi_shim.datamodel import errors
from xapi_shim.datamodel.errors import (
    AuthAlreadyEnabledError,
    AuthServiceErrorError,
    AuthSetLdapsFailedError,
    AuthUnknownTypeError,
    InvalidValueError,
    PoolAuthAlreadyEnabledError,
    SubjectCannotBeResolvedError,
    XenAPIError,
)
from xapi_shim.directory.interface import DirectoryError, JoinError, UnknownNameError, Why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from xapi_shim.api.toolstack import Call
    from xapi_shim.datamodel.model import Value

T = TypeVar("T")
log = logging.getLogger(__name__)

# More logins at once than this help nobody: the rest waits.
MAX_THREADS = 64

ENABLE_FAILED: Mapping[Why, type[XenAPIError]] = {
    Why.WRONG_CREDENTIALS: errors.AuthEnableFailedWrongCredentialsError,
    Why.PERMISSION_DENIED: errors.AuthEnableFailedPermissionDeniedError,
    Why.NO_DOMAIN: errors.AuthEnableFailedDomainLookupFailedError,
    Why.INVALID_ACCOUNT: errors.AuthEnableFailedInvalidAccountError,
    Why.INVALID_OU: errors.AuthEnableFailedInvalidOuError,
    Why.UNAVAILABLE: errors.AuthEnableFailedUnavailableError,
    Why.OTHER: errors.AuthEnableFailedError,
}
DISABLE_FAILED: Mapping[Why, type[XenAPIError]] = {
    Why.WRONG_CREDENTIALS: errors.AuthDisableFailedWrongCredentialsError,
    Why.PERMISSION_DENIED: errors.AuthDisableFailedPermissionDeniedError,
}


DISABLE_HOST = "host.disable_external_auth"


def of_pool(error: XenAPIError, host: str) -> XenAPIError:
    """Return the error of the whole pool that says that `host` had this one."""
    named = getattr(errors, f"Pool{type(error).__name__}", None)
    return named(host, *error.params) if named is not None else error


async def enable_on_host(
    call: Call, host: str, config: dict[str, str], service_name: str, auth_type: str
) -> None:
    """Have users of a directory log in; what of `config` is a password is used and not kept.

    Raises AUTH_ALREADY_ENABLED [type; service], AUTH_UNKNOWN_TYPE [type], AUTH_ENABLE_FAILED... [why].
    """
    async with call.tools.external_auth.changing:
        await _enable(call, host, config, service_name, auth_type)


async def _enable(call: Call, host: str, config: dict[str, str], service_name: str, auth_type: str) -> None:
    db = call.db
    if current := db.text("host", host, "external_auth_type"):
        raise AuthAlreadyEnabledError(current, db.text("host", host, "external_auth_service_name"))
    if not auth_type:
        raise AuthUnknownTypeError(auth_type)
    kind = call.tools.external_auth.kind(auth_type)
    try:
        kept = await kind.join(service_name, config)
    except JoinError as error:
        raise ENABLE_FAILED[error.why](str(error)) from error
    except DirectoryError as error:
        raise errors.AuthEnableFailedError(str(error)) from error
    db.update(
        "host",
        host,
        external_auth_type=auth_type,
        external_auth_service_name=service_name,
        external_auth_configuration=cast("Value", kept),
    )


async def disable_on_host(call: Call, host: str, config: dict[str, str], force: bool) -> None:  # noqa: FBT001
    """Let nobody but root log in; sessions of the directory's users end. Without a directory nothing happens.

    `force` forgets a directory that cannot be left. Raises AUTH_DISABLE_FAILED... [why].
    """
    async with call.tools.external_auth.changing:
        await _disable(call, host, config, force=force)


async def _disable(call: Call, host: str, config: dict[str, str], *, force: bool) -> None:
    db, tools = call.db, call.tools
    if not (auth_type := db.text("host", host, "external_auth_type")):
        return
    service_name = db.text("host", host, "external_auth_service_name")
    kept = db.mapping("host", host, "external_auth_configuration")
    try:
        await tools.external_auth.kind(auth_type).leave(service_name, {**kept, **config})
    except JoinError as error:
        if not force:
            raise DISABLE_FAILED.get(error.why, errors.AuthDisableFailedError)(str(error)) from error
        log.warning("%s %s was not left: %s", auth_type, service_name, error)
    db.update(
        "host", host, external_auth_type="", external_auth_service_name="", external_auth_configuration={}
    )
    tools.external_auth.logins.clear()
    end_sessions(tools, list(tools.sessions.external()))


async def enable_on_pool(
    call: Call, pool: str, config: dict[str, str], service_name: str, auth_type: str
) -> None:
    """Have users of a directory log in on every host; where one host fails, those before it leave again.

    Raises POOL_AUTH_ALREADY_ENABLED [host], POOL_AUTH_ENABLE_FAILED... [host; why], AUTH_UNKNOWN_TYPE [type].
    """
    del pool
    hosts = call.db.refs("host")
    for host in hosts:
        if call.db.text("host", host, "external_auth_type"):
            raise PoolAuthAlreadyEnabledError(host)
    joined: list[str] = []
    for host in hosts:
        try:
            await call.perform("host.enable_external_auth", host, config, service_name, auth_type)
        except XenAPIError as error:
            for other in joined:
                await call.perform(DISABLE_HOST, other, config, True)  # noqa: FBT003 -- force
            raise of_pool(error, host) from error
        joined.append(host)


async def disable_on_pool(call: Call, pool: str, config: dict[str, str]) -> None:
    """Let nobody but root log in on any host. Raises POOL_AUTH_DISABLE_FAILED... [host; why]."""
    del pool
    failed: XenAPIError | None = None
    for host in call.db.refs("host"):
        try:
            await call.perform(DISABLE_HOST, host, config, False)  # noqa: FBT003 -- force
        except XenAPIError as error:
            failed = failed or of_pool(error, host)
    if failed is not None:
        raise failed


async def set_ldaps(call: Call, host: str, ldaps: bool, force: bool) -> None:  # noqa: ARG001, FBT001
    """Raise AUTH_IS_DISABLED, or AUTH_SET_LDAPS_FAILED [host; why]: winbind chooses how it asks."""
    directory(call.tools)
    raise AuthSetLdapsFailedError(host, "winbind chooses by itself how it asks the domain's controllers")


async def set_ldaps_on_pool(call: Call, pool: str, ldaps: bool, force: bool) -> None:  # noqa: FBT001
    del pool
    for host in call.db.refs("host"):
        await set_ldaps(call, host, ldaps, force)


async def get_subject_identifier(call: Call, subject_name: str) -> str:
    """Raises SUBJECT_CANNOT_BE_RESOLVED, AUTH_IS_DISABLED, AUTH_SERVICE_ERROR [why]."""
    return await _answer(directory(call.tools).identifier(subject_name))


async def get_subject_information(call: Call, subject_identifier: str) -> dict[str, str]:
    """Raises as `get_subject_identifier` does."""
    return dict((await _answer(directory(call.tools).account(subject_identifier))).facts)


async def get_group_membership(call: Call, subject_identifier: str) -> list[str]:
    """Raises as `get_subject_identifier` does."""
    return sorted(await _answer(directory(call.tools).groups(subject_identifier)))


async def _answer(question: Awaitable[T]) -> T:
    try:
        return await question
    except UnknownNameError as error:
        raise SubjectCannotBeResolvedError from error
    except DirectoryError as error:
        raise AuthServiceErrorError(str(error)) from error


async def set_ext_auth_max_threads(call: Call, self: str, value: int) -> None:
    """Check so many of the directory's logins at once. Raises INVALID_VALUE [ext_auth_max_threads; value]."""
    if not 1 <= value <= MAX_THREADS:
        raise InvalidValueError("ext_auth_max_threads", str(value))
    call.db.set("pool", self, "ext_auth_max_threads", value)


MESSAGES = {
    "host.enable_external_auth": enable_on_host,
    "host.disable_external_auth": disable_on_host,
    "host.external_auth_set_ldaps": set_ldaps,
    "pool.enable_external_auth": enable_on_pool,
    "pool.disable_external_auth": disable_on_pool,
    "pool.external_auth_set_ldaps": set_ldaps_on_pool,
    "pool.set_ext_auth_max_threads": set_ext_auth_max_threads,
    "auth.get_subject_identifier": get_subject_identifier,
    "auth.get_subject_information_from_identifier": get_subject_information,
    "auth.get_group_membership": get_group_membership,
}
