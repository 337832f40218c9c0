"""What rpmbuild is given: a finished spec and the files beside it. Pure; build_rpm.py runs it."""

from __future__ import annotations

import io
import re
import tarfile
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from debian.changelog import Changelog

from kronos_packaging.build_deb import changelog_date
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from debian.changelog import ChangeBlock

    from kronos_packaging.declarations import Recipe
    from kronos_packaging.tree import TreeFile

XAPI_SPEC = "rpm/xapi.spec"
CHANGELOG = "debian/changelog"
CHANGELOG_SECTION = "%changelog"
CHANGELOG_DAY = re.compile(r"^\* \w{3} (\w{3} \d{1,2} \d{4}) ", re.MULTILINE)
BUILD_REQUIRES = re.compile(r"^BuildRequires:\s*(.+)$", re.MULTILINE)
OPERATORS = frozenset("<=>") | {"<=", ">="}
WIDTH = 78


class SpecError(KronosError):
    """A spec cannot be finished."""


@dataclass(frozen=True)
class SpecSource:
    """A spec and the files beside it, by their names: bytes, or where they are.

    `date_s` (seconds since 1970) is that of the newest changelog entry: everything built is dated so.
    """

    name: str
    spec: str
    files: Mapping[str, bytes | Path]
    date_s: int


def tree_source(files: tuple[TreeFile, ...], extra_version: str = "") -> SpecSource:
    """Return our tree as a source: the spec finished from debian/changelog, the tree as a tarball."""
    texts = {file.path: file.content.decode() for file in files if file.path in (XAPI_SPEC, CHANGELOG)}
    changelog = texts[CHANGELOG]
    version = rpm_version(changelog, extra_version)
    date_s = changelog_date(changelog)
    name = f"xapi-{version}"
    spec = finished_spec(texts[XAPI_SPEC], version, changelog, extra_version)
    return SpecSource("xapi", spec, {f"{name}.tar.xz": tarball(files, name, date_s)}, date_s)


def upstream_source(name: str, recipe: Recipe, files: Iterable[TreeFile], download: Path) -> SpecSource:
    """Return an upstream release, downloaded, with our spec, configuration and patches."""
    own = {file.path: file.content for file in files}
    spec = with_source(with_version(own.pop(recipe.spec).decode(), recipe.version), recipe.url)
    beside: dict[str, bytes | Path] = {path.rsplit("/", 1)[-1]: content for path, content in own.items()}
    beside[recipe.url.rsplit("/", 1)[-1]] = download
    return SpecSource(name, spec, beside, spec_date(spec))


def rpm_version(changelog: str, extra_version: str = "") -> str:
    """Return the version of the changelog's top entry as rpm's. Raises SpecError."""
    version = f"{Changelog(changelog).full_version}{extra_version}"
    if not re.fullmatch(r"[0-9A-Za-z.+~]+", version):
        raise SpecError(
            f"debian/changelog: {version!r} cannot be an rpm's version", resolution="use digits, letters, .+~"
        )
    return version


def with_version(spec: str, version: str) -> str:
    """Return a spec whose Version is `version`. Raises SpecError unless it has one such line."""
    text, count = re.subn(r"^(Version:\s*)\S+$", rf"\g<1>{version}", spec, flags=re.MULTILINE)
    if count != 1:
        raise SpecError(f"the spec has {count} lines that begin with Version")
    return text


def with_source(spec: str, url: str) -> str:
    """Return a spec whose Source0 is `url`. Raises SpecError unless it has one such line."""
    text, count = re.subn(r"^(Source0:\s*)\S+$", rf"\g<1>{url}", spec, flags=re.MULTILINE)
    if count != 1:
        raise SpecError(f"the spec has {count} lines that begin with Source0")
    return text


def finished_spec(spec: str, version: str, changelog: str, extra_version: str = "") -> str:
    """Return the spec with its version and with the changelog's entries at its end. Raises SpecError."""
    text = with_version(spec, version)
    if text.rstrip().rsplit("\n", 1)[-1] != CHANGELOG_SECTION:
        raise SpecError(f"the spec does not end with an empty {CHANGELOG_SECTION}")
    return text.rstrip() + "\n" + render_changelog(changelog, extra_version)


def render_changelog(changelog: str, extra_version: str = "") -> str:
    """Return a Debian changelog's entries in the form of rpm-spec(5), the newest first."""
    blocks = list(Changelog(changelog))
    extras = [extra_version, *([""] * (len(blocks) - 1))]
    return "\n".join(_entry(block, extra) for block, extra in zip(blocks, extras, strict=True))


def _entry(block: ChangeBlock, extra_version: str) -> str:
    day = parsedate_to_datetime(str(block.date)).astimezone(UTC).strftime("%a %b %d %Y")
    items = re.split(r"^\s*[*+-]\s+", "\n".join(str(line) for line in block.changes()), flags=re.MULTILINE)
    said = [" ".join(item.split()) for item in items if item.strip()]
    lines = [
        line
        for item in said
        for line in textwrap.wrap(item, WIDTH, initial_indent="- ", subsequent_indent="  ")
    ]
    text = "\n".join(lines).replace("%", "%%")
    return f"* {day} {block.author} - {block.version}{extra_version}-1\n{text}\n"


def spec_date(spec: str) -> int:
    """Return the noon (UTC, seconds since 1970) of a spec's newest changelog entry. Raises SpecError."""
    found = CHANGELOG_DAY.search(spec)
    if found is None:
        raise SpecError("the spec's changelog has no entry")
    day = datetime.strptime(found.group(1), "%b %d %Y").replace(hour=12, tzinfo=UTC)
    return int(day.timestamp())


def build_requires(spec: str) -> tuple[str, ...]:
    """Return the names that a spec's BuildRequires lines give, without versions."""
    names = set()
    for line in BUILD_REQUIRES.findall(spec):
        words = line.replace(",", " ").split()
        names |= {
            word
            for before, word in zip(["", *words], words, strict=False)
            if word not in OPERATORS and before not in OPERATORS
        }
    return tuple(sorted(names))


def tarball(files: Iterable[TreeFile], prefix: str, modified_s: int) -> bytes:
    """Return a .tar.xz of `files` below the folder `prefix`, the same for the same files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz", format=tarfile.GNU_FORMAT) as tar:
        for file in sorted(files, key=lambda file: file.path):
            member = tarfile.TarInfo(f"{prefix}/{file.path}")
            member.size, member.mtime = len(file.content), modified_s
            member.mode = 0o755 if file.executable else 0o644
            member.uname = member.gname = "root"
            tar.addfile(member, io.BytesIO(file.content))
    return packed.getvalue()
