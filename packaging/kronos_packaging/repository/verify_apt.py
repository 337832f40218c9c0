"""One published suite checked, this and the superseded generations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kronos_packaging.repository.apt_release import ATTESTATIONS, named_files, parse_release
from kronos_packaging.repository.check import check_armor, check_inline
from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.index_file import by_hash
from kronos_packaging.repository.metadata import superseded
from kronos_packaging.repository.signer import verify, verify_detached

if TYPE_CHECKING:
    from kronos_packaging.repository.apt_release import Release
    from kronos_packaging.repository.check import Findings

INDEXES = ("Packages", "Sources", Path(ATTESTATIONS).name)


def verify_suite(findings: Findings, suite: Path, keyring: Path, now_s: float) -> None:
    """Check the suite in the folder `suite`, dists/<name>."""
    release = _signed(findings, suite / "InRelease", keyring)
    if release is None:
        findings.leave(suite, suite.parents[1] / "pool" / suite.name)
        return
    _plain_release(findings, suite, keyring)
    if release.valid_until_s and release.valid_until_s <= now_s:
        findings.wrong(suite / "InRelease", "its Valid-Until is over: sign it again with ./inv repo.refresh")
    if release.suite != suite.name:
        findings.wrong(suite / "InRelease", f"is of the suite {release.suite}")
    for file in release.files.values():
        findings.expect(suite / file.name, file.sha256, file.size_bytes)
    _generation(findings, suite, release)
    for _, path in superseded(suite, ".InRelease"):
        if (earlier := _signed(findings, path, keyring)) is not None:
            _generation(findings, suite, earlier)


def _signed(findings: Findings, path: Path, keyring: Path) -> Release | None:
    """Check an InRelease to its last byte."""
    try:
        text = verify(keyring, path)
        check_inline(path, text)
        release = parse_release(text.decode())
    except (RepositoryError, OSError, UnicodeDecodeError) as error:
        findings.wrong(path, str(error))
        return None
    findings.accept(path)
    return release


def _plain_release(findings: Findings, suite: Path, keyring: Path) -> None:
    """Check what readers of old take: Release and its detached signature."""
    plain, signature = suite / "Release", suite / "Release.gpg"
    try:
        check_armor(signature)
        verify_detached(keyring, signature, plain)
        if plain.read_bytes() != verify(keyring, suite / "InRelease"):
            raise RepositoryError("is not what InRelease says")
    except (RepositoryError, OSError) as error:
        findings.wrong(plain, str(error))
        return
    findings.accept(plain)
    findings.accept(signature)


def _generation(findings: Findings, suite: Path, release: Release) -> None:
    """Check what a host fetches after an InRelease: indexes by hash, and the pool's files they name."""
    for file in release.files.values():
        place = by_hash(suite, file)
        right = findings.expect(place, file.sha256, file.size_bytes)
        if Path(file.name).name not in INDEXES:
            continue
        if not right:
            findings.leave(suite.parents[1] / "pool" / suite.name)
        else:
            for promised in named_files(file.name, place.read_text()):
                findings.expect(suite.parents[1] / promised.path, promised.sha256, promised.size_bytes)
