"""Clean roots to build in and to try packages in: a release's own, made by mmdebstrap, cached as a tar."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from xapi_shim.base.apt_sources import KEYRING, read_mirror, sources_for
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import as_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kronos_packaging.declarations import Target
    from xapi_shim.base.progress import Reporter

BUILD_PACKAGES = ("build-essential", "debhelper", "dh-python", "python3-all", "fakeroot", "lintian")
MOUNTS = ("dev", "proc", "sys")


def cache_dir() -> Path:
    """Return the cache outside the checkout ($KRONOS_CACHE, else kronos in the user's cache)."""
    if own := os.environ.get("KRONOS_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kronos"


def ensure_root_tar(target: Target, packages: Sequence[str], reporter: Reporter) -> Path:
    """Return a tar of `target`'s base system with `packages`, made if the cache lacks it."""
    sources = sources_for(read_mirror(), target.suite)
    key = hashlib.sha256(repr((target.suite, sorted(packages), sources)).encode()).hexdigest()[:16]
    tar = cache_dir() / "roots" / f"{target.name}-{key}.tar"
    if not tar.exists():
        tar.parent.mkdir(parents=True, exist_ok=True)
        part = tar.with_suffix(".part.tar")
        with reporter.stage(f"making a clean {target.name} root"):
            run(as_root([*mmdebstrap_argv(target, packages, part), *sources]))
            run(as_root(["chown", f"{os.getuid()}:{os.getgid()}", os.fspath(part)]))
        part.rename(tar)
    return tar


def mmdebstrap_argv(target: Target, packages: Sequence[str], tar: Path) -> list[str]:
    """Return the command, without the sources at its end."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=apt",
        f"--include={','.join(packages)}",
        f"--keyring={KEYRING}",
        '--aptopt=Acquire::Languages "none"',
        target.suite,
        os.fspath(tar),
    ]


class Root:
    """An unpacked root; `run` runs programs inside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run_argv(self, argv: Sequence[str], *, cwd: str = "/") -> list[str]:
        """Return the command that runs `argv` inside, in a pid and mount namespace of its own (unshare(1))."""
        return as_root(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc=" + os.fspath(self.path / "proc"),
                "chroot",
                os.fspath(self.path),
                "env",
                "-C",
                cwd,
                *argv,
            ]
        )


@contextmanager
def clean_root(tar: Path) -> Iterator[Root]:
    """Unpack `tar` into a folder of its own and remove it afterwards."""
    work = cache_dir() / "work"
    work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="root-", dir=work))
    try:
        run(
            as_root(
                [
                    "tar",
                    "--extract",
                    f"--file={tar}",
                    f"--directory={folder}",
                    "--numeric-owner",
                    "--exclude=./dev/*",
                ]
            )
        )
        run(as_root(["mount", "--bind", "/dev", os.fspath(folder / "dev")]))
        resolv = folder / "etc/resolv.conf"
        run(as_root(["cp", "--dereference", "--remove-destination", "/etc/resolv.conf", os.fspath(resolv)]))
        yield Root(folder)
    finally:
        run(as_root(["umount", "--recursive", "--lazy", os.fspath(folder / "dev")]), check=False)
        run(as_root(["rm", "--recursive", "--force", "--one-file-system", os.fspath(folder)]))
