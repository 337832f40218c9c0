"""The audit log as files that only root reads: the newest, and former ones beside it."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from xapi_shim.rpc.audit import header, printable, stamp, words
from xapi_shim.rpc.sessions import Door

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import TextIOWrapper
    from pathlib import Path

    from xapi_shim.rpc.audit import Entry
    from xapi_shim.rpc.sessions import Origin

log = logging.getLogger("xapi.audit")

MAX_BYTES = 10 << 20
FORMER = 9


class _PrivateFile(RotatingFileHandler):
    """Makes files of mode 0600."""

    def _open(self) -> TextIOWrapper:
        fd = os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        return os.fdopen(fd, "a", encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the library's name
        log.error("cannot write the audit log: %s", record.getMessage(), exc_info=True)


class AuditFile:
    """Adds lines to `path`; when it has grown to `max_bytes` it is set aside, nine former ones are kept."""

    def __init__(self, path: Path, host: str, *, max_bytes: int = MAX_BYTES) -> None:
        """Nothing is opened before the first line."""
        self._path, self.host, self._max_bytes = path, host, max_bytes
        self._file: _PrivateFile | None = None

    def add(self, entry: Entry) -> None:
        origin = entry.caller.origin
        self._write(f"{self._header(origin, entry.call)} {words(entry)}")

    def append(self, line: str, origin: Origin) -> None:
        """Add a line of somebody else's words."""
        self._write(f"{self._header(origin, 'pool.audit_log_append')} {printable(line)}")

    def lines(self, since: datetime | None = None) -> Iterator[str]:
        """Yield the lines written at `since` or after it, oldest first, each with its end."""
        least = stamp(since) if since else ""
        former = [self._path.with_name(f"{self._path.name}.{n}") for n in range(FORMER, 0, -1)]
        for path in (*former, self._path):
            try:
                file = path.open(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                continue
            with file:
                yield from (line for line in file if line[1 : 1 + len(least)] >= least)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _header(self, origin: Origin, call: str) -> str:
        where = "UNIX" if origin.door is Door.UNIX else f"INET {origin.address}"
        return header(datetime.now(UTC), self.host, where, call)

    def _write(self, line: str) -> None:
        log.info("%s", line)
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = _PrivateFile(
                    self._path,
                    maxBytes=self._max_bytes,
                    backupCount=FORMER,
                    encoding="utf-8",
                    errors="replace",
                )
        except OSError:
            log.exception("cannot open the audit log")
            return
        self._file.handle(logging.LogRecord(log.name, logging.INFO, "", 0, line, None, None))
