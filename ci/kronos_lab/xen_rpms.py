"""Our Xen's rpm packages, built in the stand-in root from Debian's source of the same branch: never published."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.build_root import cache_dir
from kronos_packaging.build_rpm import MACROS, STAND_IN, build_spec
from kronos_packaging.declarations import load_components, load_target
from kronos_packaging.distro_source import find_source, unpack
from kronos_packaging.rpm_source import upstream_source
from kronos_packaging.tree import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kronos_packaging.rpm_source import SpecSource
    from xapi_shim.base.progress import Reporter

_TARBALL = "xen.tar.xz"


@contextmanager
def debians_xen(reporter: Reporter) -> Iterator[SpecSource]:
    """Yield rpm/xen.spec with Debian's tarball in place of upstream's, as long as its folder is there."""
    (recipe,) = (
        component.rpm for component in load_components() if component.name == "xen" and component.rpm
    )
    with tempfile.TemporaryDirectory() as tmp:
        folder = Path(tmp)
        unpack(find_source(load_target(STAND_IN), "xen", reporter), folder)
        (tarball,) = folder.glob("*.orig.tar.xz")
        shutil.move(tarball, folder / _TARBALL)
        other = replace(recipe, url=f"https://example.org/{_TARBALL}")
        yield upstream_source("xen", other, read_tree(recipe.own_paths), folder / _TARBALL)


def ensure_xen_rpms(target_name: str, reporter: Reporter) -> Path:
    """Return the folder with the packages for the target, built if the cache lacks them. Raises BuildError."""
    target = load_target(target_name)
    with debians_xen(reporter) as source:
        digest = hashlib.sha256(f"{target.name}\n{source.spec}".encode() + MACROS.read_bytes())
        for name, content in sorted(source.files.items()):
            whole = content if isinstance(content, bytes) else content.read_bytes()
            digest.update(f"{name} {hashlib.sha256(whole).hexdigest()} ".encode())
        folder = cache_dir() / "packages" / f"lab-{target.name}" / f"xen-{digest.hexdigest()[:16]}"
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            build_spec(source, target, part, reporter)
            part.rename(folder)
    os.utime(folder)  # used now: see prune_cache
    return folder
