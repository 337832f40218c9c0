"""A published tree checked as by somebody who trusts nothing but the keys: from the signatures to every file.

What must be there is there and is what was signed; what nobody signed is not there. Everything is read again; the
publisher's cache is not looked at.
"""

from __future__ import annotations

import base64
import re
import time
from typing import TYPE_CHECKING

from kronos_packaging.repository.check import ARMOR, Findings, below, check_armor
from kronos_packaging.repository.client_files import KEYRING, KEYRING_ARMORED, SUMS, SUMS_SIGNATURE
from kronos_packaging.repository.errors import RepositoryError
from kronos_packaging.repository.signer import verify_detached
from kronos_packaging.repository.verify_apt import verify_suite
from kronos_packaging.repository.verify_yum import verify_yum

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.repository.check import Problem

SUM_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._+-]*)")


def verify_tree(
    dist: Path, *, keyring: Path | None = None, now_s: float | None = None
) -> tuple[list[Problem], int]:
    """Check all that is published in `dist`; return what is wrong, and how many files are right.

    `keyring` are the keys to trust, those that `dist` itself offers unless given; `now_s` is the time to
    compare expiry with. Raises RepositoryError when there is nothing to check.
    """
    findings = Findings(dist)
    now = time.time() if now_s is None else now_s
    trusted = (keyring or dist / KEYRING).absolute()
    if not trusted.is_file():
        raise RepositoryError(f"{trusted}: is missing", resolution="name the keys to trust: --keyring")
    suites = list(below(dist / "apt/dists"))
    yum = [place for one in below(dist / "yum") for release in below(one) for place in below(release)]
    if not suites and not yum:
        raise RepositoryError(f"{dist}: holds no repository")
    _verify_client_files(findings, trusted)
    for suite in suites:
        verify_suite(findings, suite, trusted, now)
    for place in yum:
        verify_yum(findings, place, trusted, dist / KEYRING_ARMORED)
    findings.no_others([dist / "apt", dist / "yum"])
    return findings.problems, len(findings.right)


def _verify_client_files(findings: Findings, keyring: Path) -> None:
    """Check what SHA256SUMS names, and that both forms of the keys are the same ones."""
    dist = findings.root
    try:
        check_armor(dist / SUMS_SIGNATURE)
        verify_detached(keyring, dist / SUMS_SIGNATURE, dist / SUMS)
    except (RepositoryError, OSError) as error:
        findings.wrong(dist / SUMS, str(error))
        return
    findings.accept(dist / SUMS)
    findings.accept(dist / SUMS_SIGNATURE)
    for line in (dist / SUMS).read_text().splitlines():
        if match := SUM_LINE.fullmatch(line):
            findings.expect(dist / match[2], match[1])
    armored = (
        ARMOR.fullmatch((dist / KEYRING_ARMORED).read_bytes()) if (dist / KEYRING_ARMORED).exists() else None
    )
    if armored is None or base64.b64decode(armored["body"]) != (dist / KEYRING).read_bytes():
        findings.wrong(dist / KEYRING_ARMORED, f"holds other keys than {KEYRING}")
