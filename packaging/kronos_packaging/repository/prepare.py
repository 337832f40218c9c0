"""One repository's next generation, made aside and checked, with nothing changed that a host can see."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.incoming import find_candidates, read_candidates
from kronos_packaging.repository.index_file import durable
from kronos_packaging.repository.membership import Change, plan_membership
from kronos_packaging.repository.metadata import NS, exchange, link_into, still_wanted, superseded
from kronos_packaging.repository.model import sha256_of
from kronos_packaging.repository.resign import sign_anew

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.incoming import Incoming, Repository
    from kronos_packaging.repository.model import Package, Policy, PoolFile
    from kronos_packaging.repository.signer import Signer


@dataclass(frozen=True)
class Run:
    """What one run of the publisher works with.

    `keyring` has the signer's keys, `trusted` those of the published repositories; `date_s` goes into the indexes,
    `now_ns` is the time; with `resign` a repository is signed anew even when nothing else changes.
    """

    catalogue: Catalogue
    signer: Signer
    policy: Policy
    keyring: Path
    trusted: Path
    date_s: int
    now_ns: int
    resign: bool = False


@dataclass(frozen=True)
class Prepared:
    """What is to come into a repository's pool (from, to) and its new folder of indexes."""

    repository: Repository
    change: Change
    changed: bool
    staged: Path
    signed: str = ""
    pool_files: tuple[tuple[Path, Path], ...] = ()

    def exchange(self) -> None:
        """Make it the published one."""
        exchange(self.staged, self.repository.metadata, self.repository.swapped_last)


def signed_sha256(repository: Repository) -> str:
    """Return the sha256 of the published signed file, "" when there is none."""
    path = repository.metadata / repository.signed_name
    return sha256_of(path) if path.exists() else ""


def load(repository: Repository, catalogue: Catalogue, keyring: Path) -> None:
    """Make the catalogue stand for what is published, if it does not.

    Raises RepositoryError when what is published is not what its signature says.
    """
    signed = signed_sha256(repository)
    if catalogue.signed(repository.key) == signed:
        return
    if not signed:
        catalogue.sync(repository.key, {}, lambda path, _: _unreadable(path))
        catalogue.set_signed(repository.key, signed)
        return
    named = repository.named_by(repository.metadata / repository.signed_name, keyring)
    packages = {file.path: file.sha256 for file in named if file.path.endswith(repository.package_suffixes)}
    known = catalogue.paths(repository.key)
    missing = [path for path in packages if known.get(path) != packages[path]]
    read = {package.file.path: package for package in _read(repository, missing, named)}
    catalogue.sync(repository.key, packages, lambda path, _: read[path])
    for stamp, path in superseded(repository.metadata, repository.signed_suffix):
        before = {file.path for file in _named_before(repository, path, keyring)}
        catalogue.retire(repository.key, before - {file.path for file in named}, stamp)
    catalogue.set_signed(repository.key, signed)


def _unreadable(path: str) -> Package:
    raise RepositoryError(f"{path}: is not published")


def _read(repository: Repository, places: Sequence[str], named: Iterable[PoolFile]) -> list[Package]:
    """Read published packages again; the attestations of all of them stay with the first."""
    wanted = {file.path: file for file in named}
    files = [(repository.root / place, place, wanted[place].sha256) for place in places]
    for path, _, sha256 in files:
        if not path.is_file() or sha256_of(path) != sha256:
            raise RepositoryError(f"{path}: its checksum is not the one that is signed")
    found = list(repository.read_many(files))
    return _with_lost_attestations(repository, found, wanted)


def _with_lost_attestations(
    repository: Repository, found: list[Package], wanted: dict[str, PoolFile]
) -> list[Package]:
    held = {file.path for package in found for file in package.files}
    others = [file for path, file in wanted.items() if path not in held and file.size_bytes < 0]
    if found and others:
        sized = tuple(
            replace(file, size_bytes=(repository.root / file.path).stat().st_size) for file in others
        )
        found[0] = replace(found[0], attestations=sized)
    return found


def _named_before(repository: Repository, path: Path, keyring: Path) -> list[PoolFile]:
    """Return what a superseded generation names; nothing when it cannot be trusted any more."""
    try:
        return repository.named_by(path, keyring)
    except RepositoryError:
        return []


def prepare(repository: Repository, folders: Sequence[Path], run: Run, aside: Path) -> Prepared:
    """Write the next generation below `aside`. Raises RepositoryError for what cannot be published."""
    aside.mkdir(parents=True)
    catalogue = run.catalogue
    candidates = find_candidates(repository, folders, catalogue)
    incoming = read_candidates(repository, candidates, catalogue, run.signer, aside / "signed")
    known = catalogue.packages(repository.key, names={item.package.name for item in incoming})
    change = plan_membership(known, (item.package for item in incoming), run.policy, repository.order)
    if run.resign:
        anew, signed_anew = sign_anew(repository, catalogue, run.signer, aside / "anew")
        change, incoming = change.joined(anew), [*incoming, *signed_anew]
    staged = aside / "metadata"
    published = repository.metadata / repository.signed_name
    if not change and published.exists() and not run.resign and not _grows(repository):
        return Prepared(repository, change, changed=False, staged=staged)
    pool_files = _copy(repository, change, incoming, aside / "pool")
    apply(repository, change, incoming, catalogue, run.now_ns)
    changed = repository.write(staged, catalogue, run.signer, run.policy, run.date_s)
    _carry_over(repository, staged, run)
    repository.check_staged(staged, run.keyring)
    _make_readable(staged)
    _date(repository, staged, run.now_ns)
    signed = sha256_of(staged / repository.signed_name)
    return Prepared(repository, change, changed or run.resign, staged, signed, tuple(pool_files))


def _grows(repository: Repository) -> bool:
    return repository.architectures != repository.published_architectures()


def _copy(
    repository: Repository, change: Change, incoming: Sequence[Incoming], folder: Path
) -> list[tuple[Path, Path]]:
    """Copy new packages and what belongs to them; what was copied is read back. Raises RepositoryError."""
    wanted = {package.file.path for package in change.added}
    moves: dict[Path, Path] = {}
    for item in incoming:
        if item.package.file.path not in wanted:
            continue
        for source, file in item.copies():
            place = repository.root / file.path
            if place in moves.values() or (place.is_file() and sha256_of(place) == file.sha256):
                continue
            copy = folder / hashlib.sha256(file.path.encode()).hexdigest()
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.chmod(0o644)
            os.utime(copy, ns=(source.stat().st_mtime_ns, source.stat().st_mtime_ns))
            with copy.open("rb") as written:
                durable(written)
            if sha256_of(copy) != file.sha256:
                raise RepositoryError(f"{source}: changed while it was published")
            moves[copy] = place
    return list(moves.items())


def apply(
    repository: Repository, change: Change, incoming: Sequence[Incoming], catalogue: Catalogue, now_ns: int
) -> None:
    """Bring the change into the catalogue and remember since when nothing names what was dropped."""
    origins = {item.package.file.path: item.origin for item in incoming}
    for package in change.dropped:
        catalogue.drop(repository.key, package.file.path)
    for package in change.added:
        catalogue.add(repository.key, package, origins[package.file.path])
    if change.dropped:
        gone = {file.path for package in change.dropped for file in package.files}
        catalogue.retire(repository.key, gone - catalogue.all_files(repository.key), now_ns)


def _carry_over(repository: Repository, staged: Path, run: Run) -> None:
    """Link what hosts may still be fetching into the new folder."""
    published = repository.metadata
    if not (published / repository.signed_name).exists():
        return
    found = dict(superseded(published, repository.signed_suffix))
    repository.supersede(staged, run.now_ns)
    wanted = still_wanted((run.now_ns, *found), run.now_ns, run.policy)
    generations = [(run.now_ns, published / repository.signed_name)]
    generations += [(stamp, found[stamp]) for stamp in wanted if stamp in found]
    for stamp, path in generations:
        try:
            indexes = repository.indexes_of(path, run.keyring)
        except RepositoryError:
            # Signed by a key that has been retired: no host is to be served by it any more.
            for left in (staged / "superseded").glob(f"{stamp}.*"):
                left.unlink()
            continue
        kept = [f"superseded/{other.name}" for other in (published / "superseded").glob(f"{stamp}.*")]
        link_into(published, staged, [*kept, *indexes])


def _make_readable(folder: Path) -> None:
    """Let everybody read what is to be served, whatever this user's umask."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _date(repository: Repository, staged: Path, now_ns: int) -> None:
    """Date what is signed a whole second later than before.

    HTTP's If-Modified-Since and rsync compare seconds: two generations of one second would be one for them.
    """
    before = repository.metadata / repository.signed_name
    second = now_ns // NS
    if before.exists():
        second = max(second, before.stat().st_mtime_ns // NS + 1)
    for name in repository.swapped_last:
        os.utime(staged / name, (second, second))
