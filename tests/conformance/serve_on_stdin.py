"""A daemon over the simulator for tests that need a process of its own; ends when its standard input does.

`serve_on_stdin.py ROOT` prints the port of HTTPS. A line `confirm` on its input has the directory of users
asked about all sessions, and is answered by `confirmed`.
"""

import asyncio
import sys
from pathlib import Path

from xapi_shim.api.external_auth import confirm_sessions
from xapi_shim.base.paths import Paths
from xapi_shim.web.daemon import Daemon, Options


async def serve(root):
    options = Options(Paths(root), simulator=True, address="127.0.0.1", port=0, under_systemd=False,
                      login_delay_s=0.0)  # fmt: skip
    daemon = Daemon(options)
    await daemon.start()
    print(daemon.port, flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.readline():
        await confirm_sessions(daemon.tools, 0.0)
        print("confirmed", flush=True)
    await daemon.stop()


asyncio.run(serve(Path(sys.argv[1])))
