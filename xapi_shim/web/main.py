"""xapi: the daemon."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sdnotify

from xapi_shim import __version__
from xapi_shim.base.errors import KronosError
from xapi_shim.base.paths import Paths
from xapi_shim.web.daemon import Daemon, Options
from xapi_shim.web.listening import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence

# How long systemd is to wait on, each time a member says that it waits for its master (sd_notify(3)).
WAITING_USEC = 120_000_000


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xapi",
        description="The XenAPI daemon: answers XML-RPC and JSON-RPC over HTTPS and a root-only unix socket.",
    )
    parser.add_argument("--version", action="version", version=f"xapi {__version__}")
    parser.add_argument(
        "--simulator", action="store_true", help="run guests that exist in memory only, without Xen"
    )
    parser.add_argument(
        "--root",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="keep state, sockets and certificates below DIR",
    )
    parser.add_argument(
        "--address",
        default=ANY,
        help="listen there; 'any' (the default) for all addresses of this host, 'none' for the unix socket only",
    )
    parser.add_argument("--port", type=int, default=443, help="the HTTPS port; 0 for any free one")
    parser.add_argument("--verbose", action="store_true", help="log more")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT. Exit 0, or 1 with one line on stderr when it cannot start."""
    arguments = parse_arguments(argv)
    logging.basicConfig(
        level=logging.DEBUG if arguments.verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("asyncio").setLevel(logging.INFO)
    notifier = sdnotify.SystemdNotifier()
    options = Options(
        paths=Paths(arguments.root.absolute()),
        simulator=arguments.simulator,
        address=None if arguments.address == "none" else arguments.address,
        port=arguments.port,
        under_systemd="INVOCATION_ID" in os.environ,
        # A pool's master may be down for long: that is no reason to end.
        on_waiting=partial(notifier.notify, f"EXTEND_TIMEOUT_USEC={WAITING_USEC}"),
    )
    try:
        asyncio.run(_run(options, notifier))
    except (KronosError, OSError) as error:
        print(f"xapi: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(options: Options, notifier: sdnotify.SystemdNotifier) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    daemon = Daemon(options)
    try:
        await daemon.start()
        notifier.notify("READY=1")
        print(f"xapi: ready on port {daemon.port}", file=sys.stderr, flush=True)
        waiting = [asyncio.create_task(event.wait()) for event in (stop, daemon.restart, daemon.shut_down)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        if daemon.restart.is_set():
            # A failure to systemd, which then starts us again (Restart=on-failure).
            raise KronosError("the daemon ends to be started anew, as it was asked to")
    finally:
        notifier.notify("STOPPING=1")
        await daemon.stop()


if __name__ == "__main__":
    sys.exit(main())
