"""Active Directory through Samba's winbind: net(8) joins, wbinfo(1) knows names, ntlm_auth(1) checks passwords.

An identifier is a SID. Passwords go to programs by their standard input. Samba's configuration is
replaced while the host is in the domain; what was there before is kept beside the daemon's state.
winbind remembers names for minutes: whether an account is still there, the domain itself is asked.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import run_async
from xapi_shim.directory import winbind_text as text
from xapi_shim.directory.interface import (
    Account,
    DirectoryError,
    JoinError,
    UnknownNameError,
    Why,
    WrongPasswordError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xapi_shim.base.process import Completed

PROGRAMS = ("net", "wbinfo", "ntlm_auth", "systemctl")
SERVICE = "winbind.service"
JOIN_S, ASK_S = 300.0, 60.0
ATTRIBUTES = ("userAccountControl", "accountExpires", "lockoutTime", "userPrincipalName", "displayName")


class WinbindDirectory:
    """A Directory; `config` is smb.conf, `former` where the one before is kept."""

    def __init__(self, config: Path, former: Path) -> None:
        self._config, self._former = config, former
        # Samba's files and its service are changed by one join or leave at a time.
        self._changing = asyncio.Lock()

    async def join(self, service_name: str, config: Mapping[str, str]) -> dict[str, str]:
        """Join the domain `service_name` as config's `user` with `pass`, below `ou` where that is given."""
        _assert_installed()
        user, password, ou = (config.get(name, "") for name in ("user", "pass", "ou"))
        if not text.is_domain(service_name):
            raise JoinError(Why.NO_DOMAIN, f"{service_name[:64]!r} is no name of a domain")
        if not text.is_user(user) or not password.isprintable() or not password:
            raise JoinError(Why.WRONG_CREDENTIALS, "config:user and config:pass name who may join hosts")
        if not ou.isprintable():
            raise JoinError(Why.INVALID_OU, "config:ou is a path of organizational units")
        async with self._changing:
            workgroup = await self._workgroup(service_name)
            await asyncio.to_thread(self._configure, text.smb_conf(service_name, workgroup))
            try:
                create = [f"createcomputer={ou}"] if ou else []
                await _net("join", *create, user=user, password=password)
                await _service("enable", "restart")
                await self._assert_answers()
            except BaseException:
                await asyncio.to_thread(self._restore)
                raise
        return {"domain": service_name, "user": user, **({"ou": ou} if ou else {})}

    async def leave(self, service_name: str, config: Mapping[str, str]) -> None:
        """Leave the domain; its account of this host is deleted only where `user` and `pass` are given."""
        del service_name
        _assert_installed()
        user, password = config.get("user", ""), config.get("pass", "")
        async with self._changing:
            if password:
                if not text.is_user(user) or not password.isprintable():
                    raise JoinError(
                        Why.WRONG_CREDENTIALS, "config:user and config:pass name who may remove hosts"
                    )
                await _net("leave", user=user, password=password)
            await _service("disable", "stop")
            await asyncio.to_thread(self._restore)

    async def check(self) -> None:
        _assert_installed()
        await self._assert_answers()

    async def login(self, user: str, password: str) -> str:
        sid = await self.identifier(user)
        name, kind = await self._name(sid)
        if kind != text.USER or not password:
            raise WrongPasswordError(user)
        done = await _ask(
            "ntlm_auth", "--helper-protocol=squid-2.5-basic", stdin=text.basic_line(name, password)
        )
        if done.stdout.strip() != "OK":
            raise WrongPasswordError(user)
        return sid

    async def identifier(self, name: str) -> str:
        if not name or not name.isprintable() or name.startswith("-") or len(name) > 512:
            raise UnknownNameError(name)
        done = await _ask("wbinfo", f"--name-to-sid={name}")
        if not (sid := text.sid_of(done.stdout)):
            await self._assert_answers()
            raise UnknownNameError(name)
        return sid

    async def account(self, identifier: str) -> Account:
        name, kind = await self._name(identifier)
        is_group = kind != text.USER
        values = await self._attributes(identifier, name)
        state = text.ad_state(values, time.time())
        facts = {"subject-name": name, "subject-sid": identifier, "subject-is-group": _flag(value=is_group)}
        if not is_group:
            facts |= {
                "subject-upn": values.get("userPrincipalName", name),
                "subject-displayname": values.get("displayName", name),
                "subject-gecos": values.get("displayName", name),
                "subject-account-disabled": _flag(value=state.disabled),
                "subject-account-expired": _flag(value=state.expired),
                "subject-account-locked": _flag(value=state.locked),
                "subject-password-expired": _flag(value=False),
            }
        return Account(identifier, name, is_group=is_group, usable=is_group or state.usable, facts=facts)

    async def groups(self, identifier: str) -> frozenset[str]:
        _, kind = await self._name(identifier)
        if kind != text.USER:
            return frozenset()
        done = await _ask("wbinfo", f"--user-sids={identifier}")
        if done.returncode != 0:
            raise DirectoryError(f"winbind does not tell the groups of {identifier}: {done.stderr.strip()}")
        return text.sids_of(done.stdout) - {identifier}

    async def _name(self, sid: str) -> tuple[str, int]:
        """Return the name and type of a SID. Raises UnknownNameError."""
        if not text.is_sid(sid):
            raise UnknownNameError(sid)
        name, kind = text.name_of((await _ask("wbinfo", f"--sid-to-name={sid}")).stdout)
        if not name:
            await self._assert_answers()
            raise UnknownNameError(sid)
        return name, kind

    async def _attributes(self, sid: str, name: str) -> dict[str, str]:
        """Ask the domain itself about its own accounts; those of trusted domains only winbind reaches.

        Raises UnknownNameError.
        """
        own = (await _ask("wbinfo", "--own-domain")).stdout.strip()
        if name.partition("\\")[0].casefold() != own.casefold():
            return {}
        done = await _ask("net", "ads", "sid", sid, *ATTRIBUTES, "--machine-pass")
        if text.NO_SUCH_OBJECT in done.stdout + done.stderr:
            raise UnknownNameError(sid)
        if done.returncode != 0:
            raise DirectoryError(f"the domain does not answer: {text.last_words(done.stdout + done.stderr)}")
        return text.attributes(done.stdout)

    async def _workgroup(self, domain: str) -> str:
        done = await _ask("net", "ads", "workgroup", f"--server={domain}")
        if not (found := text.workgroup_of(done.stdout)):
            raise JoinError(Why.NO_DOMAIN, f"no controller of the domain {domain} is found")
        return found

    async def _assert_answers(self) -> None:
        """Raise DirectoryError when winbind or the domain's controllers are out of reach."""
        done = await _ask("wbinfo", "--ping-dc")
        if done.returncode != 0:
            raise DirectoryError(f"the domain is out of reach: {text.last_words(done.stdout + done.stderr)}")

    def _configure(self, content: str) -> None:
        """Put `content` in smb.conf's place, once its former content is safe."""
        self._former.parent.mkdir(parents=True, exist_ok=True)
        if not self._former.exists():
            had = self._config.read_bytes() if self._config.exists() else b""
            write_atomic(self._former, had, mode=0o600)
        self._config.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._config, content.encode())

    def _restore(self) -> None:
        """Bring smb.conf's former content back; an empty one was none."""
        if not self._former.exists():
            return
        if had := self._former.read_bytes():
            write_atomic(self._config, had)
        else:
            self._config.unlink(missing_ok=True)
        self._former.unlink()


def _assert_installed() -> None:
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise JoinError(
            Why.UNAVAILABLE,
            f"Active Directory needs winbind; not installed: {' '.join(missing)}. "
            "Install the packages winbind and samba-common-bin (Fedora: samba-winbind, samba-winbind-clients, "
            "samba-common-tools)",
        )


async def _net(what: str, *more: str, user: str, password: str) -> None:
    """Join or leave by `net ads`. Raises JoinError."""
    argv = ["net", "ads", what, *more, f"--user={user}"]
    try:
        # The password's file descriptor, which Samba's programs read it from.
        done = await run_async(argv, stdin=password, env={"PASSWD_FD": "0"}, timeout_s=JOIN_S, check=False)
    except KronosError as error:
        raise JoinError(Why.UNAVAILABLE, str(error)) from error
    if done.returncode != 0:
        output = done.stdout + done.stderr
        raise JoinError(text.why_failed(output), text.last_words(output))


async def _service(*verbs: str) -> None:
    for verb in verbs:
        try:
            await run_async(["systemctl", verb, SERVICE], timeout_s=JOIN_S)
        except KronosError as error:
            raise JoinError(Why.UNAVAILABLE, str(error)) from error


async def _ask(*argv: str, stdin: str | None = None) -> Completed:
    """Run one of Samba's programs and return what it says. Raises DirectoryError."""
    try:
        return await run_async(argv, stdin=stdin, timeout_s=ASK_S, check=False)
    except KronosError as error:
        raise DirectoryError(str(error)) from error


def _flag(*, value: bool) -> str:
    return "true" if value else "false"
