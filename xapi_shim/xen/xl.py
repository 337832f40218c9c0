"""Xen through its own tools: xl for domains, xenstore-watch for what happens to them.

Nothing is kept in this process that is needed after a restart: domains are found again by
uuid. Guests' own programs (qemu for disks) live in scopes of their own, so that ending the
daemon, however hard, leaves them alone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid as uuids
from dataclasses import replace
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import stream_lines
from xapi_shim.xen.change_signal import ChangeSignal
from xapi_shim.xen.interface import (
    BootFileMissingError,
    DomainExistsError,
    DomainMissingError,
    DomainStartError,
    NotEnoughMemoryError,
    ShutdownReason,
    XenError,
)
from xapi_shim.xen.tools import attempt
from xapi_shim.xen.xenstore import read_guest_key, write_guest_keys
from xapi_shim.xen.xl_config import MIB, needed_memory_bytes, render
from xapi_shim.xen.xl_devices import XlDevices, with_script
from xapi_shim.xen.xl_text import complaint, parse_domains, parse_info, says_exists, says_no_memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from xapi_shim.base.paths import Paths
    from xapi_shim.base.process import Completed
    from xapi_shim.xen.interface import DomainConfig, DomainInfo, HypervisorInfo

log = logging.getLogger(__name__)

# Longer than libxl's own limits for device models and hotplug scripts, also under emulation.
CREATE_TIMEOUT_S = 600.0
TIMEOUT_S = 120.0
# How soon a watcher that ended is started again, in seconds; each start looks anew.
WATCHER_PAUSE_S = 1.0
SLICE = "xapi-guests.slice"


class XlHypervisor(XlDevices):
    """The hypervisor of the host this runs on.

    With `own_scope` (the daemon runs as a systemd service) each guest's programs are put into
    a scope in xapi-guests.slice; they inherit the service's mounts, so it must not be given
    private ones.
    """

    def __init__(self, paths: Paths, *, own_scope: bool) -> None:
        self._configs = paths.domain_configs
        self._own_scope = own_scope
        self._signals: set[ChangeSignal] = set()
        self._uuids: dict[int, str] = {}

    async def info(self) -> HypervisorInfo:
        return parse_info((await _run("xl", "info")).stdout)

    async def domains(self) -> tuple[DomainInfo, ...]:
        found = parse_domains((await _run("xl", "list", "-v")).stdout)
        self._uuids = {domain.domid: domain.uuid for domain in found}
        return found

    async def create(self, config: DomainConfig, *, paused: bool) -> int:
        config = replace(config, vifs=tuple(map(with_script, config.vifs)))
        text = render(config)
        for path in (config.kernel, config.ramdisk):
            if path is not None and not path.is_file():
                raise BootFileMissingError(path)
        info, domains = await asyncio.gather(self.info(), self.domains())
        if any(domain.uuid == config.uuid for domain in domains):
            raise DomainExistsError(config.uuid)
        needed = needed_memory_bytes(config)
        if info.free_memory_bytes < needed:
            raise NotEnoughMemoryError(needed, info.free_memory_bytes)
        try:
            return await self._create(config, text, paused=paused)
        except BaseException as error:
            # Also when cancelled: xl was killed half-way then.
            if not isinstance(error, DomainExistsError):
                await asyncio.shield(self._remove_remains(config.uuid))
            raise

    async def _create(self, config: DomainConfig, text: str, *, paused: bool) -> int:
        self._configs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._configs.chmod(0o700)
        path = self._configs / f"{config.uuid}.cfg"
        write_atomic(path, text.encode(), mode=0o600)
        flags = ["-q", "-e", *(["-p"] if paused else [])]
        argv = [*self._scope(config.uuid), "xl", "create", *flags, "-f", str(path)]
        done = await attempt(*argv, timeout_s=CREATE_TIMEOUT_S)
        if done.returncode != 0:
            raise await self._start_error(config, done)
        domid = await self._domid(config.uuid)
        if domid is None:
            raise DomainStartError("it is gone already")
        return domid

    def _scope(self, uuid: str) -> list[str]:
        if not self._own_scope:
            return []
        unit = f"xapi-guest-{uuid}-{uuids.uuid4().hex[:8]}"
        return ["systemd-run", "--quiet", "--scope", "--collect", f"--slice={SLICE}", f"--unit={unit}", "--"]

    async def _start_error(self, config: DomainConfig, done: Completed) -> XenError:
        """Return why `xl create` failed."""
        if says_exists(done.stderr):
            return DomainExistsError(config.uuid)
        if says_no_memory(done.stderr):
            return NotEnoughMemoryError(needed_memory_bytes(config), (await self.info()).free_memory_bytes)
        return DomainStartError(complaint(done.stderr))

    async def _domid(self, uuid: str) -> int | None:
        return next((domain.domid for domain in await self.domains() if domain.uuid == uuid), None)

    async def _remove_remains(self, uuid: str) -> None:
        """Remove what a start that failed or was interrupted left; it must not hide why that failed."""
        try:
            domid = await self._domid(uuid)
            if domid is not None:
                await self.destroy(domid)
        except KronosError:
            log.exception("VM %s: cannot remove what is left of its domain", uuid)
        self._forget_config(uuid)

    async def destroy(self, domid: int) -> None:
        uuid = self._uuids.get(domid)
        if uuid is None:
            await self.domains()
            uuid = self._uuids.get(domid)
        await self._guest_command("destroy", domid)
        if uuid is not None:
            self._forget_config(uuid)

    def _forget_config(self, uuid: str) -> None:
        (self._configs / f"{uuid}.cfg").unlink(missing_ok=True)

    async def pause(self, domid: int) -> None:
        await self._guest_command("pause", domid)

    async def unpause(self, domid: int) -> None:
        await self._guest_command("unpause", domid)

    async def request_shutdown(self, domid: int, reason: ShutdownReason) -> None:
        commands = {ShutdownReason.POWEROFF: "shutdown", ShutdownReason.REBOOT: "reboot"}
        if reason not in commands:
            raise XenError(f"a guest cannot be asked for a {reason}")
        await self._guest_command(commands[reason], domid)

    async def set_vcpus(self, domid: int, vcpus: int) -> None:
        # A guest may have more of them than the host has processors, as at its start.
        await self._guest_command("vcpu-set", domid, str(vcpus), options=("--ignore-host",))

    async def set_memory_target(self, domid: int, target_bytes: int) -> None:
        await self._guest_command("mem-set", domid, f"{target_bytes // MIB}m")

    async def _guest_command(
        self, command: str, domid: int, *args: str, options: tuple[str, ...] = ()
    ) -> None:
        """Run an xl command on a guest. Raises DomainMissingError, XenError."""
        done = await self._guest_program(command, domid, *args, options=options)
        if done.returncode != 0:
            raise XenError(f"xl {command} of domain {domid}: {complaint(done.stderr)}")

    async def _guest_program(
        self, command: str, domid: int, *args: str, options: tuple[str, ...] = (), scope: bool = False
    ) -> Completed:
        """Run an xl command on a guest, and return how it ended. Raises DomainMissingError, XenError.

        xl tells a domain that is not there from other trouble in words only, and `xl pause`
        ends with status 0 even then: so any complaint is followed by a look.
        """
        if domid <= 0:
            # xl would pause dom0, and with it the host.
            raise XenError(f"not a guest's domid: {domid}")
        prefix = self._scope(self._uuids.get(domid, f"domain-{domid}")) if scope else []
        argv = [*prefix, "xl", command, *options, str(domid), *args]
        done = await attempt(*argv, timeout_s=TIMEOUT_S)
        if done.returncode == 0 and "error" not in done.stderr.lower():
            return done
        if all(domain.domid != domid for domain in await self.domains()):
            raise DomainMissingError(domid)
        if done.returncode == 0:
            log.warning("xl %s of domain %d: %s", command, domid, complaint(done.stderr))
        return done

    async def _listing(self, command: str, domids: Collection[int]) -> str:
        return (await _run("xl", command, *map(str, domids))).stdout

    async def write_keys(self, domid: int, folder: str, keys: Mapping[str, str]) -> None:
        if domid <= 0:
            raise XenError(f"not a guest's domid: {domid}")
        # xenstore would keep keys of a domain that is not there, for ever.
        if all(domain.domid != domid for domain in await self.domains()):
            raise DomainMissingError(domid)
        await write_guest_keys(domid, folder, keys)

    async def read_key(self, domid: int, key: str) -> str | None:
        return await read_guest_key(domid, key)

    async def console_tty(self, domid: int) -> str | None:
        path = f"/local/domain/{domid}/console/tty"
        done = await attempt("xenstore-read", path, timeout_s=TIMEOUT_S)
        return done.stdout.strip() or None

    async def changes(self) -> AsyncIterator[None]:
        """See Hypervisor.changes; each iterator has a watching program of its own, which ends with it."""
        signal = ChangeSignal()
        self._signals.add(signal)
        watcher = asyncio.create_task(_watch(signal))
        try:
            async for _ in signal.listen():
                yield
        finally:
            self._signals.discard(signal)
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def close(self) -> None:
        for signal in self._signals:
            signal.close()


async def _watch(signal: ChangeSignal) -> None:
    """Turn xenstore's watch events into signals; start the watching program again whenever it ends.

    xenstored tells of @releaseDomain when a domain shuts down, crashes or is gone. The
    signal at each start covers what happened while nobody watched.
    """
    while True:
        try:
            async for _ in stream_lines(["xenstore-watch", "@introduceDomain", "@releaseDomain"]):
                signal.notify()
            log.warning("xenstore-watch ended; starting it again")
        except KronosError as error:
            log.warning("%s; starting it again", error)
        signal.notify()
        await asyncio.sleep(WATCHER_PAUSE_S)


async def _run(*argv: str) -> Completed:
    """Run a tool of Xen's that must succeed. Raises XenError."""
    done = await attempt(*argv, timeout_s=TIMEOUT_S)
    if done.returncode != 0:
        raise XenError(f"{' '.join(argv)}: {complaint(done.stderr)}", resolution="is this host running Xen?")
    return done
