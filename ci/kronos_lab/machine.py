"""One lab machine: booted from an overlay, driven over ssh and the serial console."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pexpect
import pexpect.fdpexpect

from kronos_lab.acceleration import kvm_works
from kronos_lab.cache import REPO, ssh_key
from kronos_lab.qemu import Neighbour, QemuSpec, qemu_argv
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import Completed, ProcessError, ProcessTimeoutError, run, start

if TYPE_CHECKING:
    import subprocess  # noqa: TID251 -- the type only
    from collections.abc import Callable, Sequence

    from kronos_lab.far_side import FarSide

# A boot into Xen takes 120 s with the machine to itself, and many times that beside two builds and another boot.
BOOT_S = 1200.0
POLL_S = 1.0
# How long one look at a machine that may be rebooting may take.
LOOK_S = 60.0
# A snapshot writes all the memory that is in use.
QMP_S = 300.0
# How long QEMU may take to quit before it is killed.
OFF_S = 30.0
# What a unix socket's address holds, without its final NUL (unix(7)).
SOCKET_PATH_BYTES = 107
# Of Debian's ovmf, without Secure Boot.
OVMF_CODE, OVMF_VARIABLES = Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
FAILURES = REPO / "dist" / "lab-failures"


class LabError(KronosError):
    """A machine did not do what the lab waits for."""


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, check: Callable[[], bool], timeout_s: float) -> None:
    """Look until `check` holds. Raises LabError naming `what`."""
    deadline = time.monotonic() + timeout_s
    while not check():
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout_s:g} s in vain: {what}")
        time.sleep(POLL_S)


@dataclass
class Machine:
    """A machine from `base`; a context manager that keeps the evidence when its block fails."""

    base: Path
    name: str = "lab"
    folder: Path | None = None
    extra_ports: tuple[int, ...] = ()
    segment: str | None = None
    index: int = 0
    memory_mib: int = 4096
    # So many NICs with cables to `far_side`, or to a segment with QEMU's user network (see wiring.py).
    cables: int = 0
    far_side: FarSide | None = None
    # What it is reached at, where QEMU's user network does not hand that out.
    address: str = ""
    # Another machine with a cable to the same segment. Without a far side it has ports of its own, and our user network.
    neighbour: Machine | None = None
    uefi: bool = False
    second_disk: Path | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _temporary: bool = False
    ports: dict[int, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        try:
            self.power_on(dies_with_us=True)
            self.wait_for_ssh()
        except BaseException as error:
            # `with` calls __exit__ for its block only, and this machine must not outlive us either.
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self.folder is not None:
            print(f"{self.name}: what its console said is kept in {self.keep_evidence()}", file=sys.stderr)
            print(self._last_words(), file=sys.stderr)
        self.power_off()
        if self._temporary and self.folder is not None:
            shutil.rmtree(self.folder)

    # -- power -----------------------------------------------------------------------------

    @property
    def spec(self) -> QemuSpec:
        assert self.folder is not None
        return QemuSpec(
            name=self.name,
            folder=self.folder,
            disk=self.folder / "disk.qcow2",
            forwards=tuple((here, there) for there, here in self.ports.items()),
            memory_mib=self.memory_mib,
            segment=self.segment,
            index=self.index,
            kvm=kvm_works(),
            address=self.address,
            neighbour=self._forwarded_to(),
            cables=self.cables,
            firmware=(OVMF_CODE, self.folder / "efi-variables.fd") if self.uefi else None,
            second_disk=self.second_disk,
        )

    def _forwarded_to(self) -> Neighbour | None:
        if self.neighbour is None or self.far_side is not None:
            return None
        return Neighbour(self.neighbour.address, self.neighbour.spec.forwards)

    def power_on(self, *, dies_with_us: bool = False) -> None:
        """Boot; the disk is made on the first time. Raises LabError.

        With `dies_with_us` the kernel kills QEMU when this program ends, however it ends.
        """
        if self.folder is None:
            self.folder, self._temporary = Path(tempfile.mkdtemp(prefix="kronos-lab-")), True
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.qemu_pid() is not None:
            raise LabError(f"{self.name} is on already")
        for path in (self.spec.qmp_socket, self.spec.console_socket, self.spec.pid_file):
            path.unlink(missing_ok=True)
        if not self.ports:
            self.ports = {port: free_port() for port in (22, *self.extra_ports)}
        if len(os.fsencode(self.spec.console_socket)) > SOCKET_PATH_BYTES:
            raise LabError(f"{self.folder}: too long for a socket's name", resolution="set KRONOS_CACHE")
        if not self.spec.disk.exists():
            run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", self.base, "-F", "qcow2", self.spec.disk])
        if self.spec.firmware is not None and not self.spec.firmware[1].exists():
            shutil.copy(OVMF_VARIABLES, self.spec.firmware[1])
        with (self.folder / "qemu.log").open("a") as log:
            leash = ["setpriv", "--pdeathsig", "KILL"] if dies_with_us else []
            self._process = start([*leash, *qemu_argv(self.spec)], log=log)
        wait_until("QEMU's control socket", self._started, 30)

    def _started(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise LabError(f"QEMU ended: {(self.spec.folder / 'qemu.log').read_text().strip()}")
        return self.spec.qmp_socket.exists()

    def power_off(self) -> None:
        """Pull the plug; what the machine had synced is on its disk."""
        if self.folder is None:
            return
        try:
            self.qmp("quit")
            wait_until(f"{self.name} is off", lambda: self.qemu_pid() is None, OFF_S)
        except (OSError, LabError, ValueError):  # it is off already, or does not listen
            if (pid := self.qemu_pid()) is not None:
                os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=OFF_S)
            self._process = None
        for path in (self.spec.qmp_socket, self.spec.console_socket, self.spec.pid_file):
            path.unlink(missing_ok=True)

    def qemu_pid(self) -> int | None:
        """Return the process id of this machine's QEMU, None when it is off.

        A pid file outlives a crash of the host, and its number may be a stranger's by then.
        """
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.spec.pid_file.read_text())
            if os.fsencode(self.spec.pid_file) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        return None

    def shut_down(self) -> None:
        """Shut down as an operator does, and wait until the machine is off."""
        self.execute("systemctl poweroff")
        if self._process is not None:
            self._process.wait(timeout=BOOT_S)
        wait_until(f"{self.name} is off", lambda: self.qemu_pid() is None, BOOT_S)

    def reset(self) -> None:
        """Press the reset button."""
        self.qmp("system_reset")

    def qmp(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 -- QMP answers any JSON
        """Run a QMP command and return its answer (QEMU's interop/qmp-spec). Raises LabError, OSError."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(QMP_S)
            wire.connect(os.fspath(self.spec.qmp_socket))
            lines = wire.makefile("rw")
            lines.readline()
            answer: dict[str, Any] = {}
            for request in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                lines.write(json.dumps(request) + "\n")
                lines.flush()
                answer = json.loads(lines.readline() or "{}")
                while "event" in answer:
                    answer = json.loads(lines.readline() or "{}")
            if "error" in answer:
                raise LabError(f"QMP {command}: {answer['error']}")
            return answer.get("return")

    def save(self, name: str) -> None:
        """Keep memory, devices and disk as they are under a name that may be there already. Raises LabError."""
        self._monitor(f"savevm {name}")

    def load(self, name: str) -> None:
        """Go back to where `save` was. Raises LabError."""
        self._monitor(f"loadvm {name}")

    def _monitor(self, line: str) -> None:
        # QEMU's monitor prints nothing but what went wrong (qemu-doc, savevm).
        if said := self.qmp("human-monitor-command", **{"command-line": line}).strip():
            raise LabError(f"{self.name}: {line}: {said}")

    # -- ssh -------------------------------------------------------------------------------

    def ssh_argv(self, *command: str) -> list[str]:
        """Return the ssh command line that runs `command` on the machine (none: a login)."""
        argv = ["ssh", *self._ssh_options(), "-p", self._ssh_port(), f"root@{self._ssh_host()}", *command]
        return self.far_side.inside(*argv) if self.far_side else argv

    def _ssh_port(self) -> str:
        return "22" if self.far_side else str(self.ports[22])

    def _ssh_host(self) -> str:
        return self.address if self.far_side else "127.0.0.1"

    @staticmethod
    def _ssh_options() -> list[str]:
        return [
            "-q", "-i", os.fspath(ssh_key()), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20", "-o", "BatchMode=yes",
            "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8",
        ]  # fmt: skip

    def execute(self, command: str, *, timeout_s: float = 900.0, stdin: str | None = None) -> Completed:
        """Run a shell command on the machine and return its outcome, whatever it is."""
        return run(self.ssh_argv(command), check=False, timeout_s=timeout_s, stdin=stdin)

    def succeed(self, command: str, *, timeout_s: float = 900.0, stdin: str | None = None) -> str:
        """Run a shell command that must succeed, and return what it printed. Raises LabError."""
        done = self.execute(command, timeout_s=timeout_s, stdin=stdin)
        if done.returncode != 0:
            raise LabError(
                f"{self.name}: {command!r}: status {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        return done.stdout

    def fail(self, command: str, *, timeout_s: float = 900.0) -> Completed:
        """Run a shell command that must fail. Raises LabError when it succeeds."""
        done = self.execute(command, timeout_s=timeout_s)
        if done.returncode == 0:
            raise LabError(f"{self.name}: {command!r} succeeded: {done.stdout[-2000:]}")
        return done

    def wait_until_succeeds(self, command: str, timeout_s: float = 300.0) -> str:
        """Try a shell command until it succeeds; return what it printed. Raises LabError."""
        kept: list[str] = []

        def check() -> bool:
            done = self._try(command, timeout_s)
            kept[:] = [done.stdout] if done else []
            return done is not None and done.returncode == 0

        wait_until(f"{self.name}: {command!r}", check, timeout_s)
        return kept[0]

    def _try(self, command: str, timeout_s: float) -> Completed | None:
        """Run a command for one look of a wait; None when a machine on its way down or up swallowed it."""
        try:
            return self.execute(command, timeout_s=timeout_s)
        except ProcessTimeoutError:
            return None

    def wait_for_unit(self, unit: str, timeout_s: float = 300.0) -> None:
        """Wait until systemd says that `unit` is active."""
        self.wait_until_succeeds(f"systemctl is-active --quiet {shlex.quote(unit)}", timeout_s)

    def wait_for_ssh(self, timeout_s: float = BOOT_S) -> None:
        """Wait until the machine lets us in."""
        self.wait_until_succeeds("true", timeout_s)

    def boot_id(self) -> str:
        return self.succeed("cat /proc/sys/kernel/random/boot_id").strip()

    def reboot(self, timeout_s: float = BOOT_S) -> None:
        """Reboot as an operator does, and wait until the machine is back."""
        before = self.boot_id()
        self.execute("systemctl reboot")
        self.wait_for_new_boot(before, timeout_s)

    def wait_for_new_boot(self, before: str, timeout_s: float = BOOT_S) -> None:
        """Wait until the machine answers with another boot id than `before`."""

        def check() -> bool:
            done = self._try("cat /proc/sys/kernel/random/boot_id", LOOK_S)
            return done is not None and done.returncode == 0 and done.stdout.strip() not in ("", before)

        wait_until(f"{self.name} comes back", check, timeout_s)

    def copy_to(self, sources: Sequence[Path], target: str) -> None:
        """Copy files and folders of this host into the machine's folder `target`."""
        run([*self._scp(), *map(os.fspath, sources), f"{self._scp_host()}:{target}"])

    def copy_from(self, sources: Sequence[str], target: Path) -> None:
        """Copy files and folders of the machine into the folder `target` of this host."""
        target.mkdir(parents=True, exist_ok=True)
        run([*self._scp(), *(f"{self._scp_host()}:{path}" for path in sources), target])

    def _scp(self) -> list[str]:
        argv = ["scp", "-r", *self._ssh_options(), "-P", self._ssh_port()]
        return self.far_side.inside(*argv) if self.far_side else argv

    def _scp_host(self) -> str:
        host = self._ssh_host()
        return f"root@[{host}]" if ":" in host else f"root@{host}"

    # -- the console -----------------------------------------------------------------------

    def console(self) -> pexpect.fdpexpect.fdspawn[str]:
        """Return the serial console under pexpect; what was printed before is in the log."""
        wire = socket.socket(socket.AF_UNIX)
        wire.connect(os.fspath(self.spec.console_socket))
        return pexpect.fdpexpect.fdspawn(
            wire.detach(), encoding="utf-8", codec_errors="replace", timeout=BOOT_S
        )

    def wait_for_console(self, pattern: str, timeout_s: float = BOOT_S) -> None:
        """Wait until the console's log has a line that matches."""
        wait_until(
            f"{self.name}: console says {pattern!r}",
            lambda: re.search(pattern, self.spec.console_log.read_text(errors="replace")) is not None,
            timeout_s,
        )

    def _last_words(self) -> str:
        """Return what the toolstack logged last and what Xen runs, for whoever sees a failed run's output only."""
        command = (
            "journalctl -b -u xapi -n 40 --no-pager -o short-iso; xl dmesg | tail -n 40; xl list; uptime"
        )
        with contextlib.suppress(ProcessError, KronosError):
            return self.execute(command, timeout_s=60).stdout
        return ""

    def keep_evidence(self) -> Path:
        """Keep the console's log and a screenshot of a machine that failed; return where."""
        target = FAILURES / self.name
        target.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError, LabError):
            self.qmp("screendump", filename=os.fspath(target / "screen.png"), format="png")
        for name in ("console.log", "qemu.log"):
            if (self.spec.folder / name).exists():
                shutil.copy(self.spec.folder / name, target)
        with contextlib.suppress(ProcessError, KronosError):
            (target / "journal.txt").write_text(self.execute("journalctl -b --no-pager", timeout_s=60).stdout)
        return target
