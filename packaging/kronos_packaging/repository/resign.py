"""Packages of yum whose signature is of a key no longer in use, signed anew."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from kronos_packaging.repository.incoming import Incoming, Places
from kronos_packaging.repository.membership import Change
from kronos_packaging.repository.model import sha256_of
from kronos_packaging.repository.read_rpm import read_headers, sign_packages
from kronos_packaging.repository.yum_repository import YumRepository

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.repository.catalogue import Catalogue
    from kronos_packaging.repository.incoming import Repository
    from kronos_packaging.repository.model import Package
    from kronos_packaging.repository.signer import Signer


def sign_anew(
    repository: Repository, catalogue: Catalogue, signer: Signer, aside: Path
) -> tuple[Change, list[Incoming]]:
    """Return the change that puts newly signed copies in the place of packages that a retired key signed.

    Nothing to do for apt: there the indexes alone are signed.
    """
    if not isinstance(repository, YumRepository):
        return Change(), []
    old = _not_ours(repository, list(catalogue.packages(repository.key)), signer)
    copies = []
    for package in old:
        source = repository.root / package.file.path
        copy = aside / package.file.sha256[:16] / source.name
        copy.parent.mkdir(parents=True)
        shutil.copy2(source, copy)
        copies.append((source, copy))
    if not copies:
        return Change(), []
    sign_packages([copy for _, copy in copies], signer, again=True)
    for source, copy in copies:
        times = source.stat()
        os.utime(copy, ns=(times.st_mtime_ns, times.st_mtime_ns))
    places = Places(repository, catalogue)
    sums = [sha256_of(copy) for _, copy in copies]
    files = [
        (copy, places.of_package(source, copy, sha256), sha256)
        for (source, copy), sha256 in zip(copies, sums, strict=True)
    ]
    incoming = [
        Incoming(
            replace(read, attestations=before.attestations),
            copy,
            catalogue.origin(repository.key, before.file.path),
            repository.root,
        )
        for read, before, (copy, _, _) in zip(repository.read_many(files), old, files, strict=True)
    ]
    return Change(tuple(item.package for item in incoming), tuple(old)), incoming


def _not_ours(repository: YumRepository, packages: list[Package], signer: Signer) -> list[Package]:
    headers = read_headers([repository.root / package.file.path for package in packages])
    ours = tuple(key.fingerprint.lower() for key in signer.signing_keys())
    return [
        package
        for package, header in zip(packages, headers, strict=True)
        if not any(key.endswith(header.key_id) for key in ours)
    ]
