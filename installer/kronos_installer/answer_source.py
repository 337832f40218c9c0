"""Where an answer file comes from: a file, an https URL, or what cloud-init was given."""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kronos_installer.answer_text import MOST_BYTES
from kronos_installer.answers import read_answers
from kronos_installer.override import override
from kronos_installer.problem import refusal
from kronos_installer.time_limit import within

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from kronos_installer.flags import Asked
    from kronos_installer.host_files import HostFiles
    from kronos_installer.problem import ProblemError

CLOUD_INIT = "cloud-init"
CLOUD_INIT_KEY = "xapi_host_setup"
# What cloud-init has made of all parts of the user's data, and of the vendor's: MIME, gzip and templates undone.
CLOUD_CONFIGS = (
    "/var/lib/cloud/instance/cloud-config.txt",
    "/var/lib/cloud/instance/vendor-cloud-config.txt",
)
TIMEOUT_S = 30


def load_answers(where: str, files: HostFiles, *, insecure_http: bool = False) -> Asked:
    """Return the answers of a file, a URL, or (`cloud-init`) of the host's cloud-init.

    Raises ProblemError where nothing can be had or it is not YAML, RefusedError with all its mistakes.
    """
    if where == CLOUD_INIT:
        return _from_cloud_init(files)
    if "://" in where:
        return _read(_fetch(where, insecure_http=insecure_http), _shown(where))
    try:
        with Path(where).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _missing(
            where, f"cannot be read: {error.strerror}", "name a file, an https URL, or cloud-init"
        ) from error
    return _read(data, where)


def _read(data: bytes, name: str) -> Asked:
    """Return the answers. A file of no bytes is what a full disk or a server's fault leaves, not one without wishes."""
    if not data.strip():
        raise _missing(name, "is empty", "write {} where nothing is wished for")
    return read_answers(data, name) or {}


def _from_cloud_init(files: HostFiles) -> Asked:
    """The user's answers; the vendor's only where the user gave none at all."""
    for path in CLOUD_CONFIGS:
        if files.exists(path):
            with files.at(path).open("rb") as file:
                asked = read_answers(file.read(MOST_BYTES + 1), path, CLOUD_INIT_KEY)
            if asked is not None:
                return asked
    raise _missing(
        CLOUD_CONFIGS[0], f"has no key {CLOUD_INIT_KEY!r}", "give the answers in user data, or by a file"
    )


def _missing(where: str, what: str, remedy: str) -> ProblemError:
    return refusal("answers-missing", f"the answer file {what}", at=f"{where}:1", remedy=remedy)


class _SameSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirects to the schemes that were allowed at first: never from https to http."""

    def __init__(self, schemes: frozenset[str]) -> None:
        self._schemes = schemes

    @override
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in self._schemes:
            raise urllib.error.URLError(f"redirected to {scheme}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _shown(url: str) -> str:
    """Return what of a URL may be printed: no name and password, and no query, which may be a signature."""
    return re.split(r"[?#]", re.sub(r"//.*@", "//", url))[0]


def _why(error: Exception) -> str:
    """Return why nothing came, without the URL that a redirect may have led to."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {http.client.responses.get(error.code, '')}".rstrip()
    return str(getattr(error, "reason", None) or error)


def _fetch(url: str, *, insecure_http: bool) -> bytes:
    """Return what a URL holds, MOST_BYTES + 1 at most. The server's certificate is verified (ssl(3))."""
    shown = _shown(url)
    try:
        parts = urllib.parse.urlsplit(url)
        if not re.fullmatch(r"[!-~]+", url) or parts.port == 0:
            raise ValueError(shown)
    except ValueError as error:
        raise _missing(shown, "is at no URL", "write https://SERVER/PATH") from error
    schemes = frozenset({"https", "http"} if insecure_http else {"https"})
    if parts.scheme not in schemes or not parts.hostname:
        raise _missing(shown, "is not at an https URL", "use https; --insecure-http trusts the network")
    if parts.username or parts.password:
        # It would stand in the process list, and in what is printed.
        raise _missing(shown, "may have no password in its URL", "use another way")
    context = ssl.create_default_context()
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _SameSchemes(schemes))

    def read() -> bytes:
        with opener.open(urllib.request.Request(url), timeout=TIMEOUT_S) as answer:  # noqa: S310 -- the scheme is known
            data = bytes(answer.read(MOST_BYTES + 1))
            # http.client takes the end of the connection for the end of the answer.
            if answer.length and len(data) <= MOST_BYTES:
                raise http.client.IncompleteRead(data, answer.length)
            return data

    try:
        return within(TIMEOUT_S, read)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _missing(shown, f"cannot be had: {_why(error)}",
                       "see that the host reaches the server and trusts its certificate") from error  # fmt: skip
