"""The daemon's certificates: when they end, and whether they name the host (openssl-x509(1))."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kronos_installer.doctor.answer import Answer, ask, error, info, warning
from xapi_shim.base.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from kronos_installer.host import Runner
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import Problem

SERVER, POOL = str(Paths().server_certificate), str(Paths().pool_certificate)
_SOON = timedelta(days=30)


def read_certificates(files: HostFiles, query: Runner) -> dict[str, Answer]:
    """Ask openssl about those that are there. It reads the first certificate of a file, and no key."""
    ask_about = ("openssl", "x509", "-noout", "-startdate", "-enddate", "-ext", "subjectAltName", "-in")
    return {path: ask(query, (*ask_about, path)) for path in (SERVER, POOL) if files.exists(path)}


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
    answers: dict[str, Answer], names: Collection[str], now: datetime
) -> Iterator[Problem]:
    """Yield what is wrong. `names` are the host's: one of them must be in the server's certificate."""
    for path, answer in answers.items():
        if answer.missing:
            yield info("certificate-unchecked", "openssl is not installed: certificates are not checked", path,
                       "install openssl")  # fmt: skip
            return
        dates = None if answer.error else parse_dates(answer.text)
        if dates is None:
            yield error("certificate-unreadable", "the certificate cannot be read", answer.error or path,
                        "xe host-emergency-reset-server-certificate")  # fmt: skip
            continue
        start, end = dates
        if not start <= now <= end:
            what = (
                f"ended on {end:%Y-%m-%d}"
                if now > end
                else f"begins on {start:%Y-%m-%d}: is the clock right?"
            )
            yield error("certificate-invalid", f"the certificate {what}", path,
                        "xe host-refresh-server-certificate, or install one")  # fmt: skip
        elif end - now < _SOON:
            yield warning("certificate-ends", f"the certificate ends on {end:%Y-%m-%d}", path,
                          "xe host-refresh-server-certificate, or install one")  # fmt: skip
        known = {name.lower() for name in names if name}
        if path == SERVER and known and not known & parse_names(answer.text):
            yield warning("certificate-name", f"the certificate names none of {', '.join(sorted(known))}", path,
                          "clients that verify will refuse it: install one for the host's name")  # fmt: skip
