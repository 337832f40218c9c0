"""Passwords in a PBD's device_config: kept as secrets, which fewer may read than records.

A key `chappassword` becomes `chappassword_secret`, the uuid of a secret, as with the reference; drivers are given
the password itself. A secret goes with the last PBD that names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xapi_shim.storage.interface import SrConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from xapi_shim.database.database import Database

# What is a password in the device_config of the drivers that there are.
PASSWORDS = ("chappassword",)
# The end of a key that names a secret by its uuid.
SECRET = "_secret"  # noqa: S105 -- the end of a key's name


def with_passwords(db: Database, device_config: Mapping[str, str]) -> dict[str, str]:
    """Return a device_config with the passwords themselves. Raises SrConfigError 20 (InvalidSecret)."""
    found = dict(device_config)
    for key, uuid in device_config.items():
        if key.removesuffix(SECRET) not in PASSWORDS or not key.endswith(SECRET):
            continue
        secret = db.find_uuid("secret", uuid)
        if secret is None:
            raise SrConfigError(key, "there is no such secret", code=20)
        del found[key]
        found[key.removesuffix(SECRET)] = db.text("secret", secret, "value")
    return found


def without_passwords(db: Database, device_config: Mapping[str, str]) -> dict[str, str]:
    """Return a device_config with secrets for its passwords, which are made."""
    kept = {key: value for key, value in device_config.items() if key not in PASSWORDS}
    for key in PASSWORDS:
        if device_config.get(key):
            secret = db.create("secret", {"value": device_config[key]})
            kept[f"{key}{SECRET}"] = db.text("secret", secret, "uuid")
    return kept


def secrets_of(db: Database, pbds: Iterable[str]) -> set[str]:
    """Return the secrets that nothing but these PBDs names."""
    named: dict[bool, set[str]] = {True: set(), False: set()}
    going = set(pbds)
    for pbd in db.refs("PBD"):
        for key, uuid in db.mapping("PBD", pbd, "device_config").items():
            if key.endswith(SECRET) and (secret := db.find_uuid("secret", uuid)):
                named[pbd in going].add(secret)
    return named[True] - named[False]


def destroy_pbds(db: Database, pbds: Iterable[str]) -> None:
    """Remove PBDs, and the secrets that only they name."""
    going = tuple(pbds)
    with db.transaction():
        for secret in secrets_of(db, going):
            db.destroy("secret", secret)
        for pbd in going:
            db.destroy("PBD", pbd)
