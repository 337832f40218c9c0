"""The pool's directory of users, as logins and messages use it; sessions follow what it says."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xapi_shim.api.admission import admit, read_subjects
from xapi_shim.datamodel.alerts import ALERTS
from xapi_shim.datamodel.errors import (
    AuthIsDisabledError,
    AuthUnknownTypeError,
    RbacPermissionDeniedError,
    SessionAuthenticationFailedError,
    SessionAuthorizationFailedError,
    SessionInvalidError,
)
from xapi_shim.directory.interface import DirectoryError, UnknownNameError, WrongPasswordError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from xapi_shim.api.admission import Admission
    from xapi_shim.api.toolstack import Toolstack
    from xapi_shim.directory.interface import Account, Directory

log = logging.getLogger(__name__)

# How long a session goes on without the directory being asked again, in seconds (the reference's).
CONFIRM_S = 300.0
WRONG = "Authentication failure"
ALERT = "EXTAUTH_INIT_IN_HOST_FAILED"


class Throttle:
    """Lets so many in at once; the number may change meanwhile."""

    def __init__(self) -> None:
        self._busy = 0
        self._freed = asyncio.Condition()

    @asynccontextmanager
    async def within(self, limit: int) -> AsyncIterator[None]:
        """Wait until fewer than `limit` are in."""
        async with self._freed:
            await self._freed.wait_for(lambda: self._busy < max(1, limit))
            self._busy += 1
        try:
            yield
        finally:
            async with self._freed:
                self._busy -= 1
                self._freed.notify_all()


@dataclass
class LoginCache:
    """Passwords that were right a short while ago, as keyed hashes in memory only."""

    clock: Callable[[], float] = time.monotonic
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _kept: OrderedDict[bytes, tuple[float, str]] = field(default_factory=OrderedDict)

    def _digest(self, user: str, password: str) -> bytes:
        text = f"{len(user)}:{user}{password}".encode(errors="surrogatepass")
        return hmac.digest(self._key, text, "sha256")

    def get(self, user: str, password: str, *, longest_s: float) -> str:
        """Return the identifier of who logged in with these at most `longest_s` ago, "" for nobody."""
        found = self._kept.get(self._digest(user, password))
        if found is None or self.clock() - found[0] >= longest_s:
            return ""
        return found[1]

    def put(self, user: str, password: str, identifier: str, *, size: int) -> None:
        """Remember a login; the oldest is forgotten where there are more than `size`."""
        digest = self._digest(user, password)
        self._kept.pop(digest, None)
        self._kept[digest] = (self.clock(), identifier)
        while len(self._kept) > max(0, size):
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()


@dataclass
class ExternalAuth:
    """The kinds of directory this host knows, by the words of external_auth_type."""

    kinds: Mapping[str, Directory]
    logins: LoginCache = field(default_factory=LoginCache)
    throttle: Throttle = field(default_factory=Throttle)
    # Directories are joined and left one after the other.
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def kind(self, auth_type: str) -> Directory:
        """Raises AUTH_UNKNOWN_TYPE [type]."""
        if auth_type not in self.kinds:
            raise AuthUnknownTypeError(auth_type)
        return self.kinds[auth_type]


def is_enabled(tools: Toolstack) -> bool:
    return bool(tools.db.text("host", tools.host, "external_auth_type"))


def directory(tools: Toolstack) -> Directory:
    """Return the directory in use. Raises AUTH_IS_DISABLED, AUTH_UNKNOWN_TYPE [type]."""
    auth_type = tools.db.text("host", tools.host, "external_auth_type")
    if not auth_type:
        raise AuthIsDisabledError
    return tools.external_auth.kind(auth_type)


async def check_directory(tools: Toolstack) -> None:
    """Send a message to people when the directory in use cannot be asked: nobody of it could log in."""
    try:
        await directory(tools).check()
    except AuthIsDisabledError:
        return
    except (DirectoryError, AuthUnknownTypeError) as error:
        log.warning("the directory of users cannot be asked: %s", error)
        uuid = tools.db.text("host", tools.host, "uuid")
        tools.messages.add(ALERT, ALERTS[ALERT], "Host", uuid, str(error))


async def external_login(tools: Toolstack, user: str, password: str) -> tuple[str, Admission]:
    """Check a directory's user; return the directory's name for him, and how he comes in.

    Raises SESSION_AUTHENTICATION_FAILED [user; why], and as `admit` does.
    """
    here = directory(tools)
    try:
        sid = await _identifier_of_login(tools, here, user, password)
        account, groups = await here.account(sid), await here.groups(sid)
    except (WrongPasswordError, UnknownNameError) as error:
        raise SessionAuthenticationFailedError(user, WRONG) from error
    except DirectoryError as error:
        log.warning("the directory cannot be asked: %s", error)
        raise SessionAuthenticationFailedError(user, "the directory of users cannot be asked") from error
    if not account.usable or not is_enabled(tools):  # left while it was asked
        raise SessionAuthenticationFailedError(user, WRONG)
    return account.name, admit(read_subjects(tools.db), account.name, sid, groups)


async def _identifier_of_login(tools: Toolstack, here: Directory, user: str, password: str) -> str:
    db, pool, logins = tools.db, tools.pool, tools.external_auth.logins
    cached = db.flag("pool", pool, "ext_auth_cache_enabled")
    longest_s = db.number("pool", pool, "ext_auth_cache_expiry")
    if cached and (known := logins.get(user, password, longest_s=longest_s)):
        return known
    async with tools.external_auth.throttle.within(db.number("pool", pool, "ext_auth_max_threads")):
        sid = await here.login(user, password)
    if cached:
        logins.put(user, password, sid, size=db.number("pool", pool, "ext_auth_cache_size"))
    return sid


def end_sessions(tools: Toolstack, refs: list[str]) -> None:
    """Close sessions; what waits for events in them is told."""
    for ref in refs:
        if tools.sessions.alive(ref):
            tools.sessions.close(ref)
    if refs:
        tools.events.wake()


def follow_subjects(tools: Toolstack) -> None:
    """Let the sessions of a directory's users follow a change of subjects or their roles, at once."""
    subjects, gone = read_subjects(tools.db), []
    for ref, external in tools.sessions.external().items():
        try:
            found = admit(subjects, "", external.sid, external.identifiers)
            tools.sessions.confirm(ref, found.role, found.external, asked=False)
        except (SessionAuthorizationFailedError, RbacPermissionDeniedError):
            gone.append(ref)
    end_sessions(tools, gone)


async def confirm_sessions(tools: Toolstack, older_s: float = CONFIRM_S) -> None:
    """Ask the directory anew about sessions it confirmed `older_s` ago or earlier; end those it disowns.

    While the directory cannot be asked they go on.
    """
    for ref in tools.sessions.unconfirmed(older_s):
        external = tools.sessions.external().get(ref)
        if external is None:
            continue  # ended while another one was asked about
        try:
            here = directory(tools)
            account, groups = await here.account(external.sid), await here.groups(external.sid)
            _assert_usable(account)
            found = admit(read_subjects(tools.db), account.name, external.sid, groups)
            tools.sessions.confirm(ref, found.role, found.external, asked=True)
        except (
            UnknownNameError,
            AuthIsDisabledError,
            AuthUnknownTypeError,
            SessionAuthenticationFailedError,
            SessionAuthorizationFailedError,
            RbacPermissionDeniedError,
        ) as error:
            log.info("a session of %s ends: %s", external.sid, error)
            end_sessions(tools, [ref])
        except SessionInvalidError:
            continue
        except DirectoryError as error:
            log.warning("the directory cannot be asked about %s: %s", external.sid, error)


def _assert_usable(account: Account) -> None:
    if not account.usable:
        raise SessionAuthenticationFailedError(account.name, WRONG)
