"""Repository.* and pool.*: where updates are to come from. Fetching and applying them is not done here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from xapi_shim.api.certificate_records import now
from xapi_shim.api.certificate_rules import TRUSTED, parse_certificate
from xapi_shim.api.pool_operations import CONFIGURE_REPOSITORIES, pool_operation
from xapi_shim.datamodel.errors import (
    BundleRepositoryAlreadyExistsError,
    InvalidBaseUrlError,
    InvalidGpgkeyPathError,
    InvalidRepositoryProxyCredentialError,
    InvalidRepositoryProxyUrlError,
    RepositoryAlreadyExistsError,
    RepositoryIsInUseError,
)
from xapi_shim.datamodel.types import NULL_REF

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call

# A file's name in the folder of keys, no path.
_KEY = re.compile(r"(?!\.)[A-Za-z0-9._-]+")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    """Say whether `text` is a plain URL of one of the schemes, with a host."""
    if not text.isprintable() or " " in text:
        return False
    try:
        url = urlsplit(text)
        return url.scheme in schemes and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _assert_new(call: Call, name: str, binary_url: str) -> None:
    """Raise REPOSITORY_ALREADY_EXISTS [ref] for a name or a place that is taken."""
    db = call.db
    for ref in db.refs("Repository"):
        if db.text("Repository", ref, "name_label") == name or (
            binary_url and db.text("Repository", ref, "binary_url") == binary_url
        ):
            raise RepositoryAlreadyExistsError(ref)


def _assert_key(path: str) -> None:
    """Raise INVALID_GPGKEY_PATH [path] for what is no file's name; "" is the default key."""
    if path and not _KEY.fullmatch(path):
        raise InvalidGpgkeyPathError(path)


async def introduce(
    call: Call, name_label: str, name_description: str, binary_url: str, source_url: str, update: bool,  # noqa: FBT001
    gpgkey_path: str,
) -> str:  # fmt: skip
    """Name a repository. Raises INVALID_BASE_URL [url], INVALID_GPGKEY_PATH [path], REPOSITORY_ALREADY_EXISTS [ref]."""
    for url in (binary_url, *([source_url] if source_url else [])):
        if not _is_url(url, ("http", "https")):
            raise InvalidBaseUrlError(url)
    _assert_key(gpgkey_path)
    _assert_new(call, name_label, binary_url)
    return call.db.create(
        "Repository",
        {
            "name_label": name_label,
            "name_description": name_description,
            "binary_url": binary_url,
            "source_url": source_url,
            "update": update,
            "gpgkey_path": gpgkey_path,
            "origin": "remote",
        },
    )


async def introduce_bundle(call: Call, name_label: str, name_description: str) -> str:
    """Name the repository that uploaded bundles fill, one for the pool.

    Raises REPOSITORY_ALREADY_EXISTS [ref], BUNDLE_REPOSITORY_ALREADY_EXISTS [ref].
    """
    _assert_new(call, name_label, "")
    for ref in call.db.refs("Repository"):
        if call.db.text("Repository", ref, "origin") == "bundle":
            raise BundleRepositoryAlreadyExistsError(ref)
    return call.db.create(
        "Repository",
        {
            "name_label": name_label,
            "name_description": name_description,
            "update": True,
            "origin": "bundle",
        },
    )


async def introduce_remote_pool(
    call: Call, name_label: str, name_description: str, binary_url: str, certificate: str
) -> str:
    """Name the repository of another pool, which shows `certificate`, PEM.

    Raises INVALID_BASE_URL [url], REPOSITORY_ALREADY_EXISTS [ref], the errors of a trusted certificate.
    """
    if not _is_url(binary_url, ("https",)):
        raise InvalidBaseUrlError(binary_url)
    _assert_new(call, name_label, binary_url)
    parse_certificate(certificate, now(), TRUSTED)
    return call.db.create(
        "Repository",
        {
            "name_label": name_label,
            "name_description": name_description,
            "binary_url": binary_url,
            "update": True,
            "origin": "remote_pool",
            "certificate": certificate,
        },
    )


async def forget(call: Call, self: str) -> None:
    """Forget a repository. Raises REPOSITORY_IS_IN_USE [] while the pool uses it."""
    if self in call.db.items("pool", call.tools.pool, "repositories"):
        raise RepositoryIsInUseError
    call.db.destroy("Repository", self)


async def set_gpgkey_path(call: Call, self: str, value: str) -> None:
    """Name the file of the key that signs it. Raises INVALID_GPGKEY_PATH [path]."""
    _assert_key(value)
    call.db.set("Repository", self, "gpgkey_path", value)


def _use(call: Call, pool: str, repositories: list[str]) -> None:
    """Use these repositories; of those that are new to the pool nothing is known yet."""
    with pool_operation(call, CONFIGURE_REPOSITORIES), call.db.transaction():
        for ref in set(repositories) - set(call.db.items("pool", pool, "repositories")):
            call.db.set("Repository", ref, "hash", "")
        call.db.set("pool", pool, "repositories", list(dict.fromkeys(repositories)))


async def set_repositories(call: Call, self: str, value: list[str]) -> None:
    """Choose the repositories that the pool uses."""
    _use(call, self, value)


async def add_repository(call: Call, self: str, value: str) -> None:
    _use(call, self, [*call.db.items("pool", self, "repositories"), value])


async def remove_repository(call: Call, self: str, value: str) -> None:
    _use(call, self, [ref for ref in call.db.items("pool", self, "repositories") if ref != value])


async def configure_repository_proxy(call: Call, self: str, url: str, username: str, password: str) -> None:
    """Fetch by way of a proxy, with a name and password or without.

    Raises INVALID_REPOSITORY_PROXY_URL [url], INVALID_REPOSITORY_PROXY_CREDENTIAL [].
    """
    if not _is_url(url, ("http", "https")) or "@" in url:
        raise InvalidRepositoryProxyUrlError(url)
    if bool(username) != bool(password) or not (username + password).isprintable():
        raise InvalidRepositoryProxyCredentialError
    _set_proxy(call, self, url, username, password)


def _set_proxy(call: Call, pool: str, url: str, username: str, password: str) -> None:
    db, old = call.db, call.db.text("pool", pool, "repository_proxy_password")
    with db.transaction():
        secret = db.create("secret", {"value": password}) if password else NULL_REF
        db.update(
            "pool",
            pool,
            repository_proxy_url=url,
            repository_proxy_username=username,
            repository_proxy_password=secret,
        )
        if db.exists("secret", old):
            db.destroy("secret", old)


async def disable_repository_proxy(call: Call, self: str) -> None:
    """Fetch without a proxy, and forget its password."""
    _set_proxy(call, self, "", "", "")


MESSAGES = {
    "Repository.introduce": introduce,
    "Repository.introduce_bundle": introduce_bundle,
    "Repository.introduce_remote_pool": introduce_remote_pool,
    "Repository.forget": forget,
    "Repository.set_gpgkey_path": set_gpgkey_path,
    "pool.set_repositories": set_repositories,
    "pool.add_repository": add_repository,
    "pool.remove_repository": remove_repository,
    "pool.configure_repository_proxy": configure_repository_proxy,
    "pool.disable_repository_proxy": disable_repository_proxy,
}
