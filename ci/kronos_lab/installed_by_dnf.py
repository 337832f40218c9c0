"""The machine with Fedora's lay-out with Kronos installed and not yet set up: by dnf, from signed repositories."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_lab.cache import REPO, lab_dir
from kronos_lab.image import one_at_a_time
from kronos_lab.machine import Machine
from kronos_lab.repo_server import serve
from kronos_lab.xen_rpms import ensure_xen_rpms
from kronos_packaging.declarations import load_target
from kronos_packaging.repository.model import Policy, Publication
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import Signer, signing_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from xapi_shim.base.progress import Reporter

DIST = REPO / "dist"
_REPOSITORY = "/etc/yum.repos.d/kronos.repo"
_PLACES = re.compile(r"^(baseurl|gpgkey)=.*?(/yum/|/kronos-archive-keyring)", re.MULTILINE)
DNF = "dnf --assumeyes --setopt=install_weak_deps=False"


def ensure_installed_by_dnf(reporter: Reporter, base: Path, target_name: str) -> Path:
    """Return an overlay of `base` with our Xen's rpms and, above that, xapi of dist/yum. Raises LabError."""
    xen = ensure_xen_rpms(target_name, reporter)
    with one_at_a_time():
        stood = _ensure(
            reporter, "Xen", base, xen.name, lambda machine: _install_xen(machine, xen, target_name, reporter)
        )
        ours = " ".join(f"{path.name} {_checksum(path)}" for path in packages_of(target_name))
        return _ensure(reporter, "xapi", stood, ours, lambda machine: install_from(machine, DIST, "xapi"))


def packages_of(target_name: str) -> list[Path]:
    """Return the packages of ours that dist/yum has for a target."""
    target = load_target(target_name)
    place = DIST / f"yum/{target.distribution}/{target.release}/{target.architecture}/Packages"
    return sorted(place.glob("**/*.rpm"))


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _ensure(
    reporter: Reporter, what: str, below: Path, made_of: str, make: Callable[[Machine], None]
) -> Path:
    key = hashlib.sha256(f"{below.name}\n{made_of}\n{DNF}".encode()).hexdigest()[:16]
    image = lab_dir() / f"dnf-{what.lower()}-{key}.qcow2"
    if not image.exists():
        with reporter.stage(f"installing {what} by dnf"), tempfile.TemporaryDirectory(dir=lab_dir()) as tmp:
            with Machine(below, name=f"dnf-{what.lower()}", folder=Path(tmp)) as machine:
                make(machine)
                machine.shut_down()
            os.replace(machine.spec.disk, image)
    for used in (below, image):
        os.utime(used)  # see image.prune_images
    return image


def _install_xen(machine: Machine, packages: Path, target_name: str, reporter: Reporter) -> None:
    """Publish the packages in a repository of their own, signed as ours is, and install them from there."""
    with tempfile.TemporaryDirectory() as tmp, Signer(signing_home()) as signer:
        signer.ensure_key(reporter)
        publish(
            [Publication(load_target(target_name), (packages,))], signer, Path(tmp), Policy(),
            options=Options(base_url="http://127.0.0.1"), reporter=reporter,
        )  # fmt: skip
        install_from(machine, Path(tmp), "xen")


def install_from(machine: Machine, dist: Path, packages: str) -> None:
    """Install by dnf from a published folder, as its kronos.repo says, signatures of index and packages looked at."""
    with serve(dist) as uri:
        told = _PLACES.sub(rf"\1={uri}\2", (dist / "kronos.repo").read_text())
        assert told.count(uri) == 2 * told.count("baseurl="), told
        assert "gpgcheck=0" not in told, told
        machine.succeed(f"cat > {_REPOSITORY}", stdin=told)
        machine.succeed(f"{DNF} install {packages}", timeout_s=3600)
        # ldconfig is what a trigger of Fedora's glibc runs; the indexes are those of a repository that is gone with us.
        machine.succeed(f"ldconfig && rm -f {_REPOSITORY} && dnf clean all && sync")
