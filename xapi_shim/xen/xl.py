"""Xen through xl and xenstore.

Domains are made with `xl create -e`: no xl process stays behind, and the toolstack itself
decides what becomes of a domain that stops. What a domain needs to live on (qemu as its
disk back end) is started in a systemd scope of its own, so that it outlives the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING

from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.process import ProcessError, ProgramMissingError, run_async, stream_lines
from xapi_shim.xen.interface import (
    BootFileMissingError,
    DomainMissingError,
    DomainStartError,
    NotEnoughMemoryError,
    ShutdownReason,
    XenError,
)
from xapi_shim.xen.xl_text import MIB, parse_info, parse_list, render_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from xapi_shim.base.paths import Paths
    from xapi_shim.base.process import Completed
    from xapi_shim.xen.interface import DomainConfig, DomainInfo, HypervisorInfo

log = logging.getLogger(__name__)

WATCHED = ("@introduceDomain", "@releaseDomain")
# What Xen itself needs for a small guest beside its memory: page tables, struct domain, grants.
OVERHEAD_BYTES = 8 * MIB
CREATE_S = 300.0
CONTROL_S = 60.0
WATCHER_RETRY_S = 1.0
_NO_DOMAIN = ("invalid domain identifier", "is an invalid domain", "no such domain", "domain not found")
_NO_MEMORY = ("failed to free memory", "not enough memory", "out of memory", "cannot allocate memory")


class XlHypervisor:
    """A Hypervisor on a Xen host. `own_scope` is for a daemon that systemd runs."""

    def __init__(self, paths: Paths, *, own_scope: bool) -> None:
        self._configs = paths.domain_configs
        self._own_scope = own_scope
        # Two builds at once could both be promised the same free memory.
        self._building = asyncio.Lock()

    async def info(self) -> HypervisorInfo:
        return parse_info((await self._xl("info")).stdout)

    async def domains(self) -> tuple[DomainInfo, ...]:
        return parse_list((await self._xl("list", "-v")).stdout)

    async def create(self, config: DomainConfig, *, paused: bool) -> int:
        """See Hypervisor.create."""
        for path in (config.kernel, config.ramdisk):
            if path is not None and not path.is_file():
                raise BootFileMissingError(path)
        async with self._building:
            await self._check_memory(config)
            path = self._write(config)
            try:
                await self._create(path, config, paused=paused)
            except ProcessError as error:
                await self._clean_up(config)
                raise await self._why(error, config) from error
        for domain in await self.domains():
            if domain.uuid == config.uuid:
                return domain.domid
        raise DomainStartError("the domain was gone as soon as it was made")

    async def _create(self, path: Path, config: DomainConfig, *, paused: bool) -> None:
        argv = ["xl", "create", "-e", "-q", *(["-p"] if paused else []), str(path)]
        if self._own_scope:
            unit = f"--unit=xapi-guest-{config.uuid}-{secrets.token_hex(4)}"
            scope = ["systemd-run", "--quiet", "--scope", "--collect", "--slice=xapi-guests.slice", unit]
            argv = [*scope, "--", *argv]
        await run_async(argv, timeout_s=CREATE_S)

    async def _check_memory(self, config: DomainConfig) -> None:
        needed = config.memory_target_bytes + OVERHEAD_BYTES
        free = (await self.info()).free_memory_bytes
        if needed > free:
            raise NotEnoughMemoryError(needed, free)

    def _write(self, config: DomainConfig) -> Path:
        self._configs.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._configs / f"{config.uuid}.cfg"
        write_atomic(path, render_config(config).encode(), mode=0o600)
        return path

    async def _clean_up(self, config: DomainConfig) -> None:
        """Remove what a failed build left; xl does most of it itself."""
        (self._configs / f"{config.uuid}.cfg").unlink(missing_ok=True)
        with contextlib.suppress(XenError):
            for domain in await self.domains():
                if domain.uuid == config.uuid:
                    await self.destroy(domain.domid)

    async def _why(self, error: ProcessError, config: DomainConfig) -> XenError:
        text = error.stderr.lower()
        if any(sign in text for sign in _NO_MEMORY):
            return NotEnoughMemoryError(
                config.memory_target_bytes + OVERHEAD_BYTES, (await self.info()).free_memory_bytes
            )
        lines = [line for line in error.stderr.splitlines() if "error" in line.lower()] or [str(error)]
        return DomainStartError("; ".join(lines[:4]))

    async def destroy(self, domid: int) -> None:
        await self._control(domid, "destroy")

    async def pause(self, domid: int) -> None:
        await self._control(domid, "pause")

    async def unpause(self, domid: int) -> None:
        await self._control(domid, "unpause")

    async def request_shutdown(self, domid: int, reason: ShutdownReason) -> None:
        await self._control(domid, "reboot" if reason is ShutdownReason.REBOOT else "shutdown")

    async def _control(self, domid: int, verb: str) -> None:
        if domid <= 0:
            raise XenError(f"will not {verb} domain {domid}")
        try:
            await run_async(["xl", verb, str(domid)], timeout_s=CONTROL_S)
        except ProcessError as error:
            # Some versions of xl exit alike for every failure: whether the domain is there tells.
            known = any(sign in error.stderr.lower() for sign in _NO_DOMAIN)
            if known or all(domain.domid != domid for domain in await self.domains()):
                raise DomainMissingError(domid) from error
            raise XenError(str(error)) from error

    async def changes(self) -> AsyncIterator[None]:
        """Yield at the start and at every watch that fires (xenstore-watch(1)); restart a dead watcher."""
        yield None
        while True:
            try:
                async for _ in stream_lines(["xenstore-watch", *WATCHED]):
                    yield None
            except (ProcessError, ProgramMissingError) as error:
                log.warning("%s", error)
            await asyncio.sleep(WATCHER_RETRY_S)
            yield None

    @staticmethod
    async def _xl(*args: str) -> Completed:
        argv: Sequence[str] = ["xl", *args]
        try:
            return await run_async(argv, timeout_s=CONTROL_S)
        except (ProcessError, ProgramMissingError) as error:
            raise XenError(str(error)) from error
