"""The daemon's certificates: when they end, whether they name the host (openssl-x509(1)), and whether the key is theirs."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, ask, error, info, warning
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

SERVER, POOL = str(Paths().server_certificate), str(Paths().pool_certificate)
_SOON = timedelta(days=30)
# The daemon makes them where they are not there, and does not start with what is none.
_ANEW = "mv {path} {path}.bad && systemctl restart xapi.service, which makes another"


def read_certificates(files: HostFiles, query: Runner) -> dict[str, Answer]:
    """Ask openssl about those that are there. It reads the first certificate of a file, and no key."""
    ask_about = ("openssl", "x509", "-noout", "-startdate", "-enddate", "-ext", "subjectAltName", "-in")
    return {path: ask(query, (*ask_about, path)) for path in (SERVER, POOL) if files.exists(path)}


def read_keys(files: HostFiles) -> dict[str, str]:
    """Return why the daemon cannot use the key beside the certificate, "" where it can, for the files that are there.

    The key goes no further than the TLS library.
    """
    return {path: _why_useless(files, path) for path in (SERVER, POOL) if files.exists(path)}


def _why_useless(files: HostFiles, path: str) -> str:
    if not files.at(path).is_file():
        return "it is no file"
    try:
        # A key that wants a password gets none, and nobody is asked for one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.at(path), password=lambda: "")
    except OSError as caught:
        known = {"KEY_VALUES_MISMATCH": "its private key belongs to another certificate"}
        reason = getattr(caught, "reason", "") or ""
        return known.get(reason, f"it holds no private key that can be used ({caught.strerror or caught})")
    return ""


def parse_dates(text: str) -> tuple[datetime, datetime] | None:
    """Return notBefore and notAfter, None where they are not told."""
    found = [re.search(rf"^{name}=(.*) GMT$", text, re.MULTILINE) for name in ("notBefore", "notAfter")]
    if not found[0] or not found[1]:
        return None
    try:
        start, end = (
            datetime.strptime(" ".join(m[1].split()), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)
            for m in found
            if m
        )
    except ValueError:
        return None
    return start, end


def parse_names(text: str) -> frozenset[str]:
    """Return the names and addresses of the subjectAltName, in small letters."""
    return frozenset(name.lower() for name in re.findall(r"(?:DNS|IP Address):([^,\s]+)", text))


def certificate_findings(
    answers: dict[str, Answer],
    names: Collection[str],
    now: datetime,
    uuid: str = "",
    keys: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Problem]:
    """Yield what is wrong. `names` are the host's: one of them must be in the server's certificate; `uuid` is its own.

    `keys` are read_keys': what the TLS library takes is sound, whatever keeps openssl from saying so.
    """
    for path, answer in answers.items():
        if answer.missing:
            yield info("certificate-unchecked", "openssl is not installed: certificates are not checked", path,
                       "install openssl")  # fmt: skip
            return
        dates = None if answer.error else parse_dates(answer.text)
        if dates is None and keys.get(path) == "":
            yield warning("certificate-unchecked", "openssl does not say how long the certificate lasts",
                          answer.error or path, "see why openssl fails; the certificate itself can be read")  # fmt: skip
            continue
        if dates is None:
            yield error("certificate-unreadable", "the certificate cannot be read", path, _ANEW.format(path=path),
                        answer.error)  # fmt: skip
            continue
        yield from _times(path, *dates, now, _renewal(path, uuid))
        known = {name.lower() for name in names if name}
        if path == SERVER and known and not known & parse_names(answer.text):
            yield warning("certificate-name", f"the certificate names none of {', '.join(sorted(known))}", path,
                          f"{_renewal(path, uuid)}: clients that verify refuse this one")  # fmt: skip


def key_findings(keys: dict[str, str], answers: dict[str, Answer]) -> Iterator[Problem]:
    """Yield keys that are of no use, of certificates that are sound themselves."""
    for path, why in keys.items():
        answer = answers.get(path, Answer())
        if why and (answer.missing or parse_dates(answer.text)):
            yield error("certificate-key", f"the daemon cannot use the certificate: {why}", path,
                        f"put the right key beside it, or {_ANEW.format(path=path)}")  # fmt: skip


def _times(path: str, start: datetime, end: datetime, now: datetime, renewal: str) -> Iterator[Problem]:
    if now < start:
        yield error("certificate-invalid", f"the certificate begins on {start:%Y-%m-%d}, by this host's clock ({now:%Y-%m-%d}) "
                    "in the future", path, f"set the clock right; if it is: {renewal}")  # fmt: skip
    elif now > end:
        yield error("certificate-invalid", f"the certificate ended on {end:%Y-%m-%d}", path, renewal)
    elif end - now < _SOON:
        yield warning("certificate-ends", f"the certificate ends on {end:%Y-%m-%d}", path, renewal)


def _renewal(path: str, uuid: str) -> str:
    """Return the command that makes it anew, while the daemon runs."""
    if path == POOL:
        return f"xe host-refresh-server-certificate host={uuid}"
    return "xe host-emergency-reset-server-certificate, or xe host-server-certificate-install with one for the host's name"
