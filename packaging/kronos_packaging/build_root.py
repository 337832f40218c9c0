"""Clean roots to build in and to try packages in: a release's own, made by mmdebstrap, cached as a tar."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xapi_shim.base.apt_sources import read_mirror, sources_for
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root, ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kronos_packaging.declarations import Target
    from xapi_shim.base.process import Completed
    from xapi_shim.base.progress import Reporter

ENTER = Path(__file__).with_name("enter_root.sh")
UNUSED_S = 14 * 24 * 3600
# All that a program inside sees of the machine: nothing.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "DEBIAN_FRONTEND": "noninteractive",
}


def cache_dir() -> Path:
    """Return the cache outside the checkout ($KRONOS_CACHE, else kronos in the user's cache)."""
    if own := os.environ.get("KRONOS_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kronos"


def ensure_root_tar(target: Target, packages: Sequence[str], reporter: Reporter) -> Path:
    """Return a tar of `target`'s base system with `packages`, made if the cache lacks it.

    The packages come from where this machine's apt gets its own, with the target's suites.
    Raises ProcessError with mmdebstrap's last words, KronosError when apt names no archive.
    """
    mirror = read_mirror(distribution=target.distribution)
    sources = sources_for(mirror, target.suite, target.archive_components)
    key = hashlib.sha256(repr((target.suite, sorted(packages), sources)).encode()).hexdigest()[:16]
    tar = cache_dir() / "roots" / f"{target.name}-{key}.tar"
    if not tar.exists():
        tar.parent.mkdir(parents=True, exist_ok=True)
        part = tar.with_suffix(f".{os.getpid()}.part.tar")
        ensure_packages([target.keyring_package], reporter=reporter)
        try:
            with reporter.stage(f"making a clean {target.name} root"):
                run(as_root([*mmdebstrap_argv(target, packages, part), *sources]))
                run(as_root(["chown", f"{os.getuid()}:{os.getgid()}", os.fspath(part)]))
            part.rename(tar)
        finally:
            part.unlink(missing_ok=True)
    os.utime(tar)  # used now: see prune_cache
    return tar


def prune_cache(now_s: float, unused_s: float = UNUSED_S) -> list[Path]:
    """Remove roots, sources and packages that nobody has used for `unused_s` seconds before `now_s`; return them."""
    kept = [
        *(cache_dir() / "roots").glob("*.tar"),
        *(cache_dir() / "packages").glob("*/*"),
        *(cache_dir() / "sources").glob("*"),
    ]
    old = [path for path in kept if path.stat().st_mtime < now_s - unused_s]
    for path in old:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return sorted(old)


def mmdebstrap_argv(target: Target, packages: Sequence[str], tar: Path) -> list[str]:
    """Return the command, without the sources at its end."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        *([f"--include={','.join(packages)}"] if packages else []),
        f"--keyring={target.keyring}",
        '--aptopt=Acquire::Languages "none"',
        target.suite,
        os.fspath(tar),
    ]


class Root:
    """An unpacked root; `run` runs programs inside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(
        self,
        argv: Sequence[str],
        *,
        network: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        binds: Mapping[Path, str] | None = None,
        log: IO[str] | None = None,
        check: bool = True,
        timeout_s: float | None = None,
    ) -> Completed:
        """Run `argv` inside, as xapi_shim.base.process.run does; without `network` it has no way out.

        `binds` are folders of the machine's and where they are seen inside.
        """
        inside = self.run_argv(argv, network=network, env=env, cwd=cwd, binds=binds)
        return run(as_root(inside), log=log, check=check, timeout_s=timeout_s)

    def run_argv(
        self,
        argv: Sequence[str],
        *,
        network: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        binds: Mapping[Path, str] | None = None,
    ) -> list[str]:
        """Return the command that runs `argv` inside, with namespaces and an environment of its own."""
        words = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(env or {})}.items()]
        spaces = ["--mount", "--pid", "--ipc", "--uts", *([] if network else ["--net"])]
        bound = [word for here, there in (binds or {}).items() for word in ("--bind", os.fspath(here), there)]
        return [
            # Killed with us, so that nothing works on in a root that the next run removes.
            *("setpriv", "--pdeathsig", "KILL"),
            *("unshare", *spaces, "--fork", "--kill-child"),
            *("sh", os.fspath(ENTER), os.fspath(self.path), *bound, "--"),
            *("env", "--ignore-environment", f"--chdir={cwd}", *words, *argv),
        ]

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file of root's into it."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            self.copy_in(Path(file.name), path, mode)

    def copy_in(self, source: Path, path: str, mode: int = 0o644) -> None:
        """Copy a file into it, root's."""
        place = os.fspath(self.path / path.lstrip("/"))
        run(as_root(["install", "-D", f"--mode={mode:o}", os.fspath(source), place]))


@contextmanager
def clean_root(tar: Path) -> Iterator[Root]:
    """Unpack `tar` into a folder of its own and remove it afterwards."""
    work = cache_dir() / "work"
    work.mkdir(parents=True, exist_ok=True)
    _sweep(work)
    folder = Path(tempfile.mkdtemp(prefix=f"root-{os.getpid()}-", dir=work))
    try:
        options = [f"--file={tar}", f"--directory={folder}", "--numeric-owner", "--exclude=./dev/*"]
        run(as_root(["tar", "--extract", *options]))
        resolv = folder / "etc/resolv.conf"
        run(as_root(["cp", "--dereference", "--remove-destination", "/etc/resolv.conf", os.fspath(resolv)]))
        yield Root(folder)
    finally:
        _remove(folder)


def _sweep(work: Path) -> None:
    """Remove roots whose maker is gone: a run that was killed could not."""
    for folder in work.glob("root-*"):
        maker = folder.name.split("-")[1]
        if not Path("/proc", maker).exists():
            # Another run may be sweeping, too: what is left is for the next one.
            _remove(folder, check=False)


def _remove(folder: Path, *, check: bool = True) -> None:
    run(as_root(["rm", "--recursive", "--force", "--one-file-system", os.fspath(folder)]), check=check)
