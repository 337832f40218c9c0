"""What we change of a distro's source package: configuration, patches, version, changelog entry."""

from __future__ import annotations

import shutil
import textwrap
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from debian.changelog import Changelog
from debian.deb822 import Deb822
from debian.debian_support import Version

from kronos_packaging.declarations import REPO
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.declarations import Recipe, Target

PATCHES = "kronos"


class ChangeError(KronosError):
    """The distro's source is not what our changes are made for."""


def maintainer() -> str:
    """Return who signs our changelog entries: the Maintainer of debian/control."""
    return str(Deb822((REPO / "debian/control").read_text())["Maintainer"])


def our_version(distro_version: str, revision: str) -> str:
    """Return the version of our rebuild: newer than the distro's, older than anything it may make next.

    4.17.5-1 becomes 4.17.5-1+0kronos1, which is below -1+b1 (a rebuild), -1+deb12u1 (a security
    update), -1.1 and -2, and above -1 (deb-version(7): a digit's turn ends the "+" before it, and
    the end of a non-digit part sorts before all letters).
    """
    return f"{distro_version}+0kronos{revision}"


def apply_changes(recipe: Recipe, target: Target, source: Path, maintainer: str, repo: Path = REPO) -> None:
    """Change the unpacked `source` as `recipe` says. Raises ChangeError."""
    _append_fragment(recipe, source, repo)
    _add_patches(recipe, source, repo)
    place = source / "debian/changelog"
    place.write_text(changelog_with_ours(place.read_text(), recipe, target, maintainer))


def _append_fragment(recipe: Recipe, source: Path, repo: Path) -> None:
    if not recipe.fragment:
        return
    place = source / recipe.fragment_place
    if not place.is_file():
        raise ChangeError(
            f"{recipe.package}: its source has no {recipe.fragment_place}",
            resolution="look where its configuration is now, and change fragment_place",
        )
    before = place.read_text()
    place.write_text(before.rstrip("\n") + "\n" + (repo / recipe.fragment).read_text())


def _add_patches(recipe: Recipe, source: Path, repo: Path) -> None:
    """Add patches at the end of the quilt series (dpkg-source(1), format 3.0 (quilt))."""
    if not recipe.patches:
        return
    series = source / "debian/patches/series"
    (series.parent / PATCHES).mkdir(parents=True, exist_ok=True)
    lines = series.read_text().splitlines() if series.exists() else []
    for name in recipe.patches:
        patch = repo / name
        shutil.copyfile(patch, series.parent / PATCHES / patch.name)
        lines.append(f"{PATCHES}/{patch.name}")
    series.write_text("".join(f"{line}\n" for line in lines))


def changelog_with_ours(text: str, recipe: Recipe, target: Target, maintainer: str) -> str:
    """Return a changelog with our entry on top.

    Its date is a second after the distro's entry's: the same source gives the same packages whenever
    it is built, and a changelog's dates rise (Debian Policy 4.4).
    """
    changelog = Changelog(text)
    version, date = changelog.full_version, changelog.date
    if not version or not date:
        raise ChangeError(f"{recipe.package}: its changelog's top entry has no version or date")
    changelog.new_block(
        package=recipe.package,
        version=Version(our_version(version, recipe.revision)),
        distributions=target.suite,
        urgency="medium",
        author=maintainer,
        date=_after(date),
        changes=["", *(line for change in recipe.changes for line in _entry(change)), ""],
    )
    return str(changelog)


def _after(date: str) -> str:
    """Return the time a second after a changelog's date (RFC 5322). Raises ChangeError."""
    try:
        return format_datetime(parsedate_to_datetime(date) + timedelta(seconds=1))
    except ValueError as error:
        raise ChangeError(f"not a changelog's date: {date!r}") from error


def _entry(change: str) -> list[str]:
    """Return a change as lines of a changelog (deb-changelog(5)), none longer than lintian likes."""
    return textwrap.wrap(change, 78, initial_indent="  * ", subsequent_indent="    ")
