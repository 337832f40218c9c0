"""A distro's own source package: found through apt, checked against its signed index, changed by us.

The chain of trust is apt's (apt-secure(8)): the release's signature covers the index of
sources, the index the checksum of every file. Files are taken by these checksums, so a
`.dsc` is not needed: what dpkg-source(1) wants of it stands in the index. An archive that
names only versions whose files it lacks does not stop the factory: the version taken last
is taken again, or the one in packaging/known-sources, by the checksums that stood in the
index then.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from debian.deb822 import Deb822, Sources
from debian.debian_support import Version

from kronos_packaging.build_root import cache_dir
from kronos_packaging.declarations import ROOM
from xapi_shim.base.apt_sources import read_mirror, sources_for
from xapi_shim.base.atomic_file import write_atomic
from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProcessError, run
from xapi_shim.base.system_packages import ensure_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kronos_packaging.declarations import Target
    from xapi_shim.base.apt_sources import Mirror
    from xapi_shim.base.progress import Reporter

APT_HELPER = "/usr/lib/apt/apt-helper"
# How long the archive's answer is taken for its newest: a security update is seen within a day.
FRESH_S = 24 * 3600
# A paragraph a package for each target, as an index of sources has it.
KNOWN_SOURCES = ROOM / "known-sources"
# Where a security archive has its files.
SECURITY_POOL = "pool/updates/"


class SourceUnavailableError(KronosError):
    """The archive does not have the source package, or not the pinned version, or not its files."""

    exit_status = 3


@dataclass(frozen=True)
class SourceFile:
    """One file of a source package as the archive's signed index has it."""

    name: str
    uri: str
    sha256: str


@dataclass(frozen=True)
class DistroSource:
    """A version of a source package, and newer ones whose files the archive lacks."""

    package: str
    version: str
    files: tuple[SourceFile, ...]
    fields: dict[str, str]
    passed_over: tuple[str, ...] = ()
    found_at_s: float = 0

    @property
    def dsc(self) -> str:
        """The text of a `.dsc` (deb-src-control(5)) with what dpkg-source needs to unpack it."""
        rows = [(file, self.path(file).read_bytes()) for file in self.files]
        strong = "".join(f"\n {file.sha256} {len(content)} {file.name}" for file, content in rows)
        # dpkg-source wants this field too, and is told to ask for the strong one.
        weak = "".join(
            f"\n {hashlib.md5(content, usedforsecurity=False).hexdigest()} {len(content)} {file.name}"
            for file, content in rows
        )
        known = {key: self.fields[key] for key in ("Binary", "Architecture") if key in self.fields}
        lines = [f"Format: {self.fields.get('Format', '1.0')}", f"Source: {self.package}"]
        lines += [f"{key}: {value}" for key, value in known.items()]
        lines += [f"Version: {self.version}", f"Checksums-Sha256:{strong}", f"Files:{weak}"]
        return "\n".join(lines) + "\n"

    def path(self, file: SourceFile) -> Path:
        """Return where the cache keeps a file: by its checksum, so nothing else can be there."""
        return cache_dir() / "sources" / f"{file.sha256[:24]}-{file.name}"


def find_source(target: Target, package: str, reporter: Reporter, *, refresh: bool = False) -> DistroSource:
    """Return the newest version of `package` for `target` that the archive really has, with its files.

    An answer of the last day is used again unless `refresh`. Where the archive has the files of none
    that it names, that is the version found last or the one of KNOWN_SOURCES, the newer first; not
    where the target has a pin. Raises SourceUnavailableError,
    KronosError when this machine's apt knows no archive of the distribution.
    """
    memory = cache_dir() / "sources" / f"{target.name}-{package}.json"
    memory.parent.mkdir(parents=True, exist_ok=True)
    pin = target.pins.get(package, "")
    last = _remembered(memory)
    known = last if last is not None and not refresh and _is_fresh(last, pin) else None
    if known is None or any(not known.path(file).exists() for file in known.files):
        with reporter.stage(f"asking {target.name}'s archive for the source of {package}"):
            known = replace(_newest(target, package, pin, reporter, last), found_at_s=time.time())
        write_atomic(memory, json.dumps(asdict(known)).encode())
    for file in known.files:
        os.utime(known.path(file))  # used now: see prune_cache
    if known.passed_over:
        reporter.line(_behind(target, known))
    return known


def _behind(target: Target, source: DistroSource) -> str:
    return (
        f"{target.name}: the archive names {source.package} {', '.join(source.passed_over)} but does not have"
        f" all its files: building {source.version}, which apt will not prefer to the distro's own newer one"
    )


def _remembered(memory: Path) -> DistroSource | None:
    try:
        raw = json.loads(memory.read_text())
        files = tuple(SourceFile(**file) for file in raw.pop("files"))
        return DistroSource(**{**raw, "files": files, "passed_over": tuple(raw["passed_over"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _is_fresh(known: DistroSource, pin: str) -> bool:
    return time.time() - known.found_at_s < FRESH_S and pin in ("", known.version)


def known_source(target: Target, package: str, mirror: Mirror, folder: Path) -> DistroSource | None:
    """Return the version of a source package that `folder` has the checksums of; None where it has none."""
    place = folder / f"{target.name}.sources"
    if not place.exists():
        return None
    for stanza in Sources.iter_paragraphs(place.read_text(), use_apt_pkg=False):
        if stanza["Package"] == package:
            pool = stanza["Directory"]
            base = mirror.security if pool.startswith(SECURITY_POOL) else mirror.main
            files = tuple(
                SourceFile(row["name"], f"{base.rstrip('/')}/{pool}/{quote(row['name'])}", row["sha256"])
                for row in stanza["Checksums-Sha256"]
                if not row["name"].endswith(".dsc")
            )
            fields = {key: stanza[key] for key in ("Binary", "Architecture", "Format")}
            return DistroSource(package, stanza["Version"], files, fields)
    return None


def _newest(
    target: Target, package: str, pin: str, reporter: Reporter, last: DistroSource | None
) -> DistroSource:
    apt = _PrivateApt(target)
    apt.update(reporter)
    offered = apt.versions(package)
    wanted = choose_versions(offered, pin)
    if not wanted:
        there = ", ".join(offered) or "none"
        what = f"{package} {pin}".strip()
        raise SourceUnavailableError(
            f"{target.name}: the archive has no source {what}",
            resolution=f"it has: {there}; change or remove the pin in packaging/targets/{target.name}.toml",
        )
    before = () if pin else (last, known_source(target, package, apt.mirror, KNOWN_SOURCES))
    passed_over: list[str] = []
    for source in _in_turn(apt, package, wanted, before):
        try:
            for file in source.files:
                _fetch(file, source.path(file))
        except SourceUnavailableError as error:
            reporter.line(str(error))
            passed_over += [source.version] if source.version in wanted else []
            continue
        return replace(source, passed_over=tuple(passed_over))
    raise SourceUnavailableError(
        f"{target.name}: the archive names source {package} {', '.join(wanted)} and has not all files of any",
        resolution="try again later, or use another mirror",
    )


def _in_turn(
    apt: _PrivateApt, package: str, wanted: list[str], before: Iterable[DistroSource | None]
) -> Iterator[DistroSource]:
    """Yield what to try: the versions that the archive names, newest first, then older ones known before."""
    for version in wanted:
        yield apt.source(package, version)
    older = (s for s in before if s is not None and Version(s.version) < Version(wanted[-1]))
    yield from sorted(older, key=lambda source: Version(source.version), reverse=True)


def choose_versions(offered: Iterable[str], pin: str) -> list[str]:
    """Return the versions to try, newest first; only the pinned one where there is a pin."""
    return sorted({v for v in offered if pin in ("", v)}, key=Version, reverse=True)


def _fetch(file: SourceFile, place: Path) -> None:
    """Have apt download and check one file. Raises SourceUnavailableError."""
    if place.exists():
        return
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        # As ourselves: the cache is nobody else's.
        own = ["-o", "APT::Sandbox::User="]
        run([APT_HELPER, *own, "download-file", file.uri, part, f"SHA256:{file.sha256}"])
        part.rename(place)
    except ProcessError as error:
        told = [line for line in error.stderr.splitlines() if line.startswith("E: Failed")]
        raise SourceUnavailableError(
            told[0].removeprefix("E: ") if told else f"cannot get {file.uri}: {error}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
        part.with_name(part.name + ".FAILED").unlink(missing_ok=True)


class _PrivateApt:
    """apt with a state of its own: this machine's archives, another release's sources."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._folder = cache_dir() / "apt" / target.name
        self.mirror = read_mirror(distribution=target.distribution)
        lines = sources_for(self.mirror, target.suite, target.archive_components, kind="deb-src")
        signed = [line.replace(" ", f" [signed-by={target.keyring}] ", 1) for line in lines]
        (self._folder / "lists/partial").mkdir(parents=True, exist_ok=True)
        (self._folder / "sources.list").write_text("".join(f"{line}\n" for line in signed))

    def _run(self, program: str, *words: str) -> str:
        options = {
            "Dir::Etc::SourceList": os.fspath(self._folder / "sources.list"),
            "Dir::Etc::SourceParts": "-",
            "Dir::State::Lists": os.fspath(self._folder / "lists"),
            "Dir::Cache": os.fspath(self._folder / "cache"),
            "APT::Sandbox::User": "",
            "Acquire::Languages": "none",
        }
        given = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return run([program, *given, *words]).stdout

    def update(self, reporter: Reporter) -> None:
        ensure_packages([self._target.keyring_package], reporter=reporter)
        (self._folder / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
        try:
            self._run("apt-get", "update", "--quiet=2", "--error-on=any")
        except ProcessError as error:
            raise SourceUnavailableError(
                f"{self._target.name}: the archive's indexes cannot be had or not trusted: {_cause(error)}",
                resolution=f"see the network, the mirror, and the keys in {self._target.keyring}",
            ) from error

    def versions(self, package: str) -> list[str]:
        return [stanza["Version"] for stanza in self._stanzas(package)]

    def _stanzas(self, package: str) -> list[Deb822]:
        try:
            told = self._run("apt-cache", "showsrc", "--only-source", package)
        except ProcessError:
            return []  # "No packages found" is its only failure here
        return list(Deb822.iter_paragraphs(told, use_apt_pkg=False))

    def source(self, package: str, version: str) -> DistroSource:
        # Of several checksums apt prints the strongest; a .dsc is written with this one.
        options = ["--option=Acquire::ForceHash=SHA256", "--print-uris", "--quiet=2", "--only-source"]
        told = self._run("apt-get", "source", *options, f"{package}={version}")
        files = tuple(file for file in map(_source_file, told.splitlines()) if not file.name.endswith(".dsc"))
        (stanza,) = [s for s in self._stanzas(package) if s["Version"] == version][:1]
        return DistroSource(
            package, version, files, {key: stanza[key] for key in stanza if "\n" not in stanza[key]}
        )


def _cause(error: ProcessError) -> str:
    """Return what apt says of the first fault, which its last words do not name."""
    causes = (line for line in error.stderr.splitlines() if line.startswith("E: ") or "GPG error: " in line)
    return next(causes, str(error)).removeprefix("E: ").removeprefix("W: ")


def _source_file(line: str) -> SourceFile:
    """Return a line of `apt-get source --print-uris`: quoted URI, name, size, SHA256:checksum."""
    uri, name, _, checksum = line.split()
    kind, _, sha256 = checksum.partition(":")
    if kind != "SHA256" or "/" in name or name.startswith("."):
        raise SourceUnavailableError(f"apt names a file in a way not understood: {line}")
    return SourceFile(name, uri.strip("'"), sha256)


def unpack(source: DistroSource, folder: Path) -> Path:
    """Unpack a source package below `folder`, its patches not applied; return where. Raises ProcessError."""
    for file in source.files:
        shutil.copyfile(source.path(file), folder / file.name)
    dsc = folder / f"{source.package}.dsc"
    dsc.write_text(source.dsc)
    place = folder / source.package
    run(["dpkg-source", "--require-strong-checksums", "--skip-patches", "--extract", dsc, place])
    for path in folder.iterdir():
        if path != place and ".orig" not in path.name:
            path.unlink()
    return place
