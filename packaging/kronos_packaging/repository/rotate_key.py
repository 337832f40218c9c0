"""Another signing key in place of the one in use, in two steps with time between them (docs/repositories.md).

start    a second key; both are in the keyring that hosts fetch, both sign every InRelease
finish   the old key is out of the keyring and signs nothing any more; packages of yum are signed anew
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kronos_packaging.repository.client_files import KEYRING
from kronos_packaging.repository.errors import SigningKeyError
from kronos_packaging.repository.publish import Options, publish
from kronos_packaging.repository.signer import parse_fingerprints

if TYPE_CHECKING:
    from pathlib import Path

    from kronos_packaging.repository.model import Policy
    from kronos_packaging.repository.signer import Key, Signer
    from xapi_shim.base.progress import Reporter


@dataclass(frozen=True)
class Rotation:
    """What a step of the rotation did: the keys that sign now, and the one that no longer does."""

    keys: tuple[str, ...]
    retired: str = ""


def start(signer: Signer, dist: Path, policy: Policy, reporter: Reporter, *, base_url: str = "") -> Rotation:
    """Make a second key and sign everything with both. Raises SigningKeyError when there are two already."""
    before = signer.all_keys()
    if len(before) != 1:
        raise SigningKeyError(
            f"{signer.home} has {len(before)} signing keys, a rotation begins with one",
            resolution="finish the rotation that is under way: ./inv repo.rotate-key --finish",
        )
    with reporter.stage("making the next signing key"):
        signer.make_key()
    refresh(signer, dist, policy, reporter, base_url=base_url)
    return Rotation(_fingerprints(signer.signing_keys()))


def finish(signer: Signer, dist: Path, policy: Policy, reporter: Reporter, *, base_url: str = "") -> Rotation:
    """Retire the older of two keys and sign everything with the other alone.

    Raises SigningKeyError when there is one only, or when hosts have not been offered the new one yet.
    """
    keys = signer.all_keys()
    if len(keys) != 2:
        raise SigningKeyError(
            f"{signer.home} has {len(keys)} signing keys, there is no rotation to finish",
            resolution="begin one: ./inv repo.rotate-key",
        )
    old, new = keys
    if new.fingerprint not in parse_fingerprints(dist / KEYRING):
        raise SigningKeyError(
            f"hosts have never been offered the key {new.fingerprint}",
            resolution="publish with both keys first: ./inv repo.refresh",
        )
    place = signer.retire(old)
    reporter.line(f"the secret of {old.fingerprint} is in {place} now")
    refresh(signer, dist, policy, reporter, base_url=base_url)
    return Rotation(_fingerprints(signer.signing_keys()), old.fingerprint)


def refresh(signer: Signer, dist: Path, policy: Policy, reporter: Reporter, *, base_url: str = "") -> None:
    """Sign everything in `dist` anew, with new dates, without building anything."""
    publish([], signer, dist, policy, options=Options(base_url=base_url, resign=True), reporter=reporter)


def _fingerprints(keys: tuple[Key, ...]) -> tuple[str, ...]:
    return tuple(key.fingerprint for key in keys)
