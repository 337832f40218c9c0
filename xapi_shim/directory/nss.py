"""The host's own users and groups: passwords by PAM, names by NSS (nsswitch.conf(5)).

An identifier is `u` and the user's number or `g` and the group's, as the reference has them.
NSS may ask servers elsewhere and take seconds, so that it is asked in threads.
"""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run_async
from xapi_shim.directory.interface import Account, DirectoryError, UnknownNameError, WrongPasswordError
from xapi_shim.directory.shadow import AccountState, account_state

T = TypeVar("T")
Authenticate = Callable[[str, str], Awaitable[bool]]

THREADS = 4
DAY_S = 24 * 3600
GETENT_S = 30.0


class NssDirectory:
    """A Directory; `authenticate` checks a name and a password by PAM."""

    def __init__(self, authenticate: Authenticate) -> None:
        self._authenticate = authenticate
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="nss")

    async def join(self, service_name: str, config: Mapping[str, str]) -> dict[str, str]:
        """Do nothing: the host knows its users."""
        del service_name, config
        return {}

    async def leave(self, service_name: str, config: Mapping[str, str]) -> None:
        """Do nothing: the host keeps its users."""
        del service_name, config

    async def check(self) -> None:
        """Do nothing: the host's own users are there."""

    async def login(self, user: str, password: str) -> str:
        if not await self._authenticate(user, password):
            raise WrongPasswordError(user)
        return f"u{(await self._ask(_user, user)).pw_uid}"

    async def identifier(self, name: str) -> str:
        try:
            return f"u{(await self._ask(_user, name)).pw_uid}"
        except UnknownNameError:
            return f"g{(await self._ask(_group, name)).gr_gid}"

    async def account(self, identifier: str) -> Account:
        if identifier.startswith("g"):
            group = await self._ask(_group_of, identifier)
            facts = {
                "subject-name": group.gr_name,
                "subject-gid": str(group.gr_gid),
                "subject-sid": identifier,
                "subject-is-group": "true",
            }
            return Account(identifier, group.gr_name, is_group=True, usable=True, facts=facts)
        user = await self._ask(_user_of, identifier)
        state = await self._state(user.pw_name)
        return Account(
            identifier,
            user.pw_name,
            is_group=False,
            usable=state.usable,
            facts=_facts(user, identifier, state),
        )

    async def groups(self, identifier: str) -> frozenset[str]:
        if identifier.startswith("g"):
            await self._ask(_group_of, identifier)
            return frozenset()
        user = await self._ask(_user_of, identifier)
        return frozenset(f"g{gid}" for gid in await self._ask(_group_list, user))

    async def _state(self, user: str) -> AccountState:
        """Ask getent(1) for the user's shadow entry; one that is not there says nothing."""
        try:
            done = await run_async(["getent", "shadow", user], check=False, timeout_s=GETENT_S)
        except KronosError as error:
            raise DirectoryError(f"cannot ask for the state of {user!r}: {error}") from error
        return account_state(done.stdout, int(time.time()) // DAY_S)

    async def _ask(self, question: Callable[..., T], about: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, question, about)


def _facts(user: pwd.struct_passwd, identifier: str, state: AccountState) -> dict[str, str]:
    told = {
        "subject-name": user.pw_name,
        "subject-upn": user.pw_name,
        "subject-uid": str(user.pw_uid),
        "subject-gid": str(user.pw_gid),
        "subject-sid": identifier,
        "subject-gecos": user.pw_gecos,
        # The first of the traditional four parts is the person's name.
        "subject-displayname": user.pw_gecos.partition(",")[0] or user.pw_name,
    }
    flags = {
        "subject-is-group": False,
        "subject-account-disabled": state.locked or state.inactive,
        "subject-account-expired": state.expired,
        "subject-account-locked": state.locked,
        "subject-password-expired": state.password_expired,
    }
    return told | {name: "true" if flag else "false" for name, flag in flags.items()}


def _user(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except (KeyError, ValueError) as error:  # ValueError: a NUL, or what is no text to the system
        raise UnknownNameError(name) from error


def _group(name: str) -> grp.struct_group:
    try:
        return grp.getgrnam(name)
    except (KeyError, ValueError) as error:
        raise UnknownNameError(name) from error


def _user_of(identifier: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(_number(identifier, "u"))
    except (KeyError, OverflowError) as error:
        raise UnknownNameError(identifier) from error


def _group_of(identifier: str) -> grp.struct_group:
    try:
        return grp.getgrgid(_number(identifier, "g"))
    except (KeyError, OverflowError) as error:
        raise UnknownNameError(identifier) from error


def _number(identifier: str, kind: str) -> int:
    """Return the number of `u1000`. Raises UnknownNameError."""
    digits = identifier.removeprefix(kind)
    if digits == identifier or not digits.isascii() or not digits.isdecimal() or len(digits) > 10:
        raise UnknownNameError(identifier)
    return int(digits)


def _group_list(user: pwd.struct_passwd) -> list[int]:
    return os.getgrouplist(user.pw_name, user.pw_gid)
