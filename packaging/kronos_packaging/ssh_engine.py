"""Builds Debian packages on another machine over ssh: a build node with sbuild, or with mmdebstrap alone.

Here the source package is made; the node builds it in a root of the target, with the packages it
needs sent along; what comes back is checked against the `.changes` (deb-changes(5)) that the
node's dpkg-buildpackage wrote. Keys, users and known hosts are those of the operator's ssh
configuration (ssh_config(5)); nothing is ever asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from debian.deb822 import Changes

from kronos_packaging.build_deb import BuildError
from kronos_packaging.declarations import Format
from kronos_packaging.engine import Engine
from kronos_packaging.local_engine import deb_source
from xapi_shim.base.apt_sources import read_mirror, sources_for
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import Completed, run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO

    from kronos_packaging.build_deb import DebSource
    from kronos_packaging.declarations import Target
    from kronos_packaging.inputs import TargetInputs
    from kronos_packaging.plan import Job
    from xapi_shim.base.progress import Reporter

SCRIPTS = tuple(Path(__file__).with_name(name) for name in ("build_on_node.sh", "build_in_root.sh"))
# What ssh itself ends with when there is no connection, or none any more (ssh(1), EXIT STATUS).
NO_CONNECTION = 255
OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "LogLevel=ERROR",
    "ConnectTimeout=30",
    "ServerAliveInterval=30",
    "ServerAliveCountMax=4",
)
# A node's own words are not trusted: folders and file names as these only.
FOLDER = re.compile(r"/[A-Za-z0-9_./-]+")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.~_%-]*")


class NodeError(KronosError):
    """A build node cannot be reached, or does not do what build nodes do."""

    exit_status = 4


class How(StrEnum):
    """What a node builds with; `auto`: sbuild where it is installed."""

    AUTO = "auto"
    SBUILD = "sbuild"
    MMDEBSTRAP = "mmdebstrap"


@dataclass(frozen=True)
class Node:
    """A machine that ssh reaches: `host` as in `ssh HOST`, `port` 0 for the configuration's."""

    host: str
    port: int = 0
    config: Path | None = None

    def options(self, port_option: str) -> list[str]:
        """Return the options of ssh(1) (`-p`) and scp(1) (`-P`)."""
        given = [word for option in OPTIONS for word in ("-o", option)]
        config = ["-F", os.fspath(self.config)] if self.config else []
        return [*config, *given, *([port_option, str(self.port)] if self.port else [])]

    def ssh_argv(self, argv: Sequence[str], *, terminal: bool = False) -> list[str]:
        """Return the command that runs `argv` there; its shell gets every word quoted."""
        # Ends with us: what works on at the other end of a lost connection is hung up on.
        own = ["setpriv", "--pdeathsig", "TERM", "ssh", *self.options("-p"), *(["-tt"] if terminal else [])]
        return [*own, "--", self.host, shlex.join(argv)]

    def path(self, path: str) -> str:
        """Return a path there as scp takes it; an IPv6 address stands in brackets."""
        user, at, host = self.host.rpartition("@")
        return f"{user}{at}[{host}]:{path}" if ":" in host else f"{self.host}:{path}"

    def run(self, argv: Sequence[str], *, check: bool = True, log: IO[str] | None = None) -> Completed:
        """Run `argv` there; with `log` on a terminal of its own. Raises NodeError."""
        return self._run(self.ssh_argv(argv, terminal=log is not None), check=check, log=log)

    def copy(self, *words: str | Path, check: bool = True) -> Completed:
        """Copy with scp. Raises NodeError."""
        argv = ["setpriv", "--pdeathsig", "TERM", "scp", "-q", "-r", *self.options("-P"), "--", *words]
        return self._run([os.fspath(word) for word in argv], check=check)

    def _run(self, argv: list[str], *, check: bool, log: IO[str] | None = None) -> Completed:
        agent = {name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ}
        done = run(argv, env=agent, log=log, check=False)
        if done.returncode == NO_CONNECTION or (check and done.returncode != 0):
            last = done.stderr.strip().splitlines()[-1:] or ["the connection was lost"]
            raise NodeError(
                f"build node {self.host}: {last[0]}",
                resolution="this must work without a question: " + shlex.join(self.ssh_argv(["true"])[3:]),
            )
        return done


@dataclass(frozen=True)
class SshEngine(Engine):
    """Builds on a node."""

    node: Node
    how: How = How.AUTO

    def build(
        self, job: Job, inputs: TargetInputs, needed: tuple[Path, ...], out: Path, reporter: Reporter
    ) -> None:
        """Build on the node; a node that is lost in the middle leaves nothing but a log in `out`."""
        if inputs.target.format is not Format.DEB:
            raise KronosError(f"{job.target}: this engine builds no {inputs.target.format}")
        ensure_packages(("openssh-client", "util-linux", "dpkg-dev"), reporter=reporter)
        out.mkdir(parents=True, exist_ok=True)
        log = out / "build.log"
        with tempfile.TemporaryDirectory() as kept, node_folder(self.node) as there:
            here = Path(kept)
            lay_out(deb_source(job.component, inputs), needed, here)
            words = (there, self.how, inputs.target.suite, inputs.target.architecture, inputs.target.keyring)
            sources = node_sources(self.node, inputs.target, here)
            self.node.copy(here / "source", here / "needed", *SCRIPTS, self.node.path(there))
            with reporter.stage(f"building {job.component} for {job.target} on {self.node.host}"):
                with log.open("w") as file:
                    argv = ["sh", f"{there}/{SCRIPTS[0].name}", *words, *sources]
                    done = self.node.run(argv, check=False, log=file)
                if done.returncode != 0:
                    raise BuildError(f"{job.component} for {job.target} on {self.node.host}", log)
            fetch(self.node, f"{there}/out", out)
            for path in (here / "source").iterdir():
                shutil.copyfile(path, out / path.name)


def lay_out(source: DebSource, needed: tuple[Path, ...], folder: Path) -> None:
    """Write below `folder` what is sent: `source/` with the .dsc and its files, `needed/` with packages."""
    (folder / "source").mkdir()
    (folder / "needed").mkdir()
    with tempfile.TemporaryDirectory() as staged:
        placed = source.stage(Path(staged))
        run(["dpkg-source", "--build", placed.name], cwd=Path(staged))
        for path in Path(staged).iterdir():
            if path.is_file():
                shutil.copyfile(path, folder / "source" / path.name)
    for deb in (deb for place in needed for deb in place.glob("*.deb")):
        shutil.copyfile(deb, folder / "needed" / deb.name)


@contextmanager
def node_folder(node: Node) -> Iterator[str]:
    """Make a folder on the node, and remove it afterwards if the node can still be reached."""
    told = node.run(["mktemp", "--directory", "--tmpdir", "kronos-build.XXXXXXXXXX"]).stdout.strip()
    if not FOLDER.fullmatch(told):
        raise NodeError(f"build node {node.host}: mktemp there says {told!r}")
    try:
        yield told
    finally:
        with suppress(NodeError):  # a lost node removes it itself: see build_on_node.sh
            node.run(["rm", "--recursive", "--force", "--one-file-system", told], check=False)


def node_sources(node: Node, target: Target, folder: Path) -> list[str]:
    """Return the apt sources of `target` where the node itself gets its packages. Raises NodeError."""
    apt = folder / "node/etc/apt"
    apt.mkdir(parents=True)
    for name in ("sources.list", "sources.list.d"):  # a machine may have only one of them
        node.copy(node.path(f"/etc/apt/{name}"), apt, check=False)
    try:
        mirror = read_mirror(folder / "node", target.distribution)
    except KronosError as error:
        raise NodeError(
            f"build node {node.host}: no {target.distribution} archive in its apt sources",
            resolution="add one there; a disabled one (Enabled: no) will do",
        ) from error
    return sources_for(mirror, target.suite, target.archive_components)


def fetch(node: Node, there: str, out: Path) -> None:
    """Copy what was built into `out`, checked against its .changes. Raises NodeError."""
    names = node.run(["ls", there]).stdout.split()
    changes = [name for name in names if name.endswith(".changes") and FILE.fullmatch(name)]
    if len(changes) != 1:
        raise NodeError(f"build node {node.host}: left {len(changes)} .changes, not one, in {there}")
    node.copy(node.path(f"{there}/{changes[0]}"), out)
    promised = Changes((out / changes[0]).read_text())["Checksums-Sha256"]
    for file in promised:
        name, sha256 = str(file["name"]), str(file["sha256"])
        if not FILE.fullmatch(name):
            raise NodeError(f"build node {node.host}: {changes[0]} names a file {name!r}")
        node.copy(node.path(f"{there}/{name}"), out)
        if hashlib.sha256((out / name).read_bytes()).hexdigest() != sha256:
            raise NodeError(f"build node {node.host}: {name} is not what {changes[0]} says")
