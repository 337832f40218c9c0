"""Other people's XenAPI clients, unmodified, where the tests find them: the cache, by what pins them.

The pins are in tests/conformance/clients: npm's package-lock.json, pip's requirements with
hashes. Neither names where packages come from: that is the machine's own configuration.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import REPO
from kronos_packaging.build_root import cache_dir
from xapi_shim.base.held_lock import held_lock
from xapi_shim.base.process import run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.base.progress import Reporter

PINS = REPO / "tests/conformance/clients"
# Debian 13 has an agent a package, Debian 12 all of them in one.
FENCE_AGENTS = ("fence-agents-xenapi", "fence-agents")


def npm_clients(reporter: Reporter) -> Path:
    """Return the folder whose node_modules holds xen-api. Raises PackagesMissingError, ProcessError."""
    if shutil.which("npm") is None:
        ensure_packages(("nodejs", "npm"), reporter=reporter)
    pins = [PINS / "package.json", PINS / "package-lock.json"]

    def install(folder: Path) -> None:
        for pin in pins:
            shutil.copy(pin, folder)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder)

    return _kept("npm", [pin.read_bytes() for pin in pins], install, reporter)


def python_clients(reporter: Reporter) -> Path:
    """Return the Python of a virtual environment with salt-cloud and XenAPI. Raises ProcessError."""
    pins = PINS / "requirements.txt"

    def install(folder: Path) -> None:
        python = folder / "bin/python"
        run([sys.executable, "-m", "venv", folder])
        pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        hashed: list[str | Path] = [*pip, "--require-hashes", "--no-deps", "--requirement"]
        # Salt comes as source only: what builds it is pinned too, and is there first.
        tools = folder / "build-tools.txt"
        tools.write_text(_pins_of(pins.read_text(), ("setuptools", "wheel", "packaging")))
        run([*hashed, tools])
        run([*hashed, pins, "--no-build-isolation"])

    key = [pins.read_bytes(), sys.version.encode()]
    return _kept("python", key, install, reporter) / "bin/python"


def fence_agent(reporter: Reporter) -> Path:
    """Return Debian's fence_xenapi. Raises PackagesMissingError, ProcessError."""
    known = run(["apt-cache", "pkgnames", "fence-agents"], check=False).stdout.split()
    name = next((one for one in FENCE_AGENTS if one in known), FENCE_AGENTS[0])
    ensure_packages((name,), reporter=reporter)
    return Path("/usr/sbin/fence_xenapi")


def os_xenapi(reporter: Reporter) -> Path:
    """Return the Python that Debian's os_xenapi belongs to. Raises PackagesMissingError, ProcessError."""
    ensure_packages(("python3-os-xenapi",), reporter=reporter)
    return Path("/usr/bin/python3")


def _pins_of(requirements: str, names: tuple[str, ...]) -> str:
    """Return the entries of `names`, hashes and all, from a requirements file."""
    entries = requirements.replace("\\\n", " ").splitlines()
    return "".join(f"{entry}\n" for entry in entries if entry.startswith(tuple(f"{n}==" for n in names)))


def _kept(kind: str, pins: list[bytes], install: Callable[[Path], None], reporter: Reporter) -> Path:
    """Return the cache's folder for `pins`, filled by `install` on first use."""
    key = hashlib.sha256(b"\0".join(pins)).hexdigest()[:16]
    folder = cache_dir() / "clients" / f"{kind}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder / ".complete"
    with held_lock(folder.with_suffix(".lock"), make=True):  # tests run in more than one process
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with reporter.stage(f"installing the XenAPI clients of {kind} into {folder}"):
                install(folder)
            complete.touch()
    return folder
