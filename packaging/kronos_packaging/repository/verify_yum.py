"""One published yum repository checked, this and the superseded generations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_packaging.repository import yum_index
from kronos_packaging.repository.check import check_armor
from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.metadata import superseded
from kronos_packaging.repository.read_rpm import check_signatures
from kronos_packaging.repository.signer import verify_detached

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.repository.check import Findings


def verify_yum(findings: Findings, place: Path, keyring: Path, armored: Path) -> None:
    """Check the repository in the folder `place`; `armored` are the keys as rpm takes them."""
    metadata = place / "repodata"
    packages = _generation(findings, metadata, metadata / "repomd.xml", keyring)
    for _, path in superseded(metadata, ".repomd.xml"):
        packages += _generation(findings, metadata, path, keyring)
    right = sorted({path for path in packages if path in findings.right and path.suffix == ".rpm"})
    if right and armored in findings.right:  # else it was reported, and rpm may not even read it
        for path, said in check_signatures(right, armored):
            findings.wrong(path, f"is not signed by a key of this repository: {said}")


def _generation(findings: Findings, metadata: Path, repomd: Path, keyring: Path) -> list[Path]:
    """Check a repomd.xml and all it names; return the packages."""
    signature = repomd.with_name(f"{repomd.name}.asc")
    try:
        verify_detached(keyring, signature, repomd)
        check_armor(signature)
        records = yum_index.parse_repomd(repomd.read_bytes()).records
    except (RepositoryError, OSError) as error:
        findings.wrong(repomd, str(error))
        findings.leave(metadata.parent)
        return []
    findings.accept(repomd)
    findings.accept(signature)
    packages: list[Path] = []
    for record in records:
        index = metadata / record.packed.name
        if not findings.expect(index, record.packed.sha256, record.packed.size_bytes):
            findings.leave(metadata.parent / "Packages")
            continue
        if record.kind in ("primary", yum_index.ATTESTATIONS):
            for file in yum_index.named_files(record.kind, index):
                packages.append(metadata.parent / file.path)
                findings.expect(packages[-1], file.sha256, file.size_bytes)
    return packages
