"""Downloads: resumed, tried again, and not there under their name before their checksum is right."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from kronos_packaging.build_root import cache_dir
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kronos_packaging.declarations import Recipe
    from xapi_shim.base.progress import Reporter

CHUNK = 1 << 16
# A server that is busy, or in front of one that is down (RFC 9110, section 15; RFC 6585).
TRY_AGAIN = (429, 500, 502, 503, 504)
GONE = (404, 410)
ADVICE = "check the address, the network and the proxy (https_proxy); what was got is kept and resumed"


class FetchError(KronosError):
    """A file could not be downloaded."""


class ChecksumError(FetchError):
    """What was downloaded is not what is declared; it was thrown away."""

    def __init__(self, url: str, algorithm: str, wanted: str, found: str) -> None:
        super().__init__(
            f"{url}: its {algorithm} is {found}, declared is {wanted}",
            resolution="do not use it; see whether the release was replaced, and by whom",
        )


class _Interrupted(Exception):
    """The transfer ended too soon."""


@dataclass(frozen=True)
class Patience:
    """How often and how long: `tries` after the first, waiting `backoff_s` times 1, 2, 4... seconds."""

    tries: int = 5
    backoff_s: float = 0.5
    connect_s: float = 15
    silent_s: float = 60

    def retry(self) -> Retry:
        """Return urllib3's policy, which also heeds Retry-After."""
        return Retry(
            total=self.tries, backoff_factor=self.backoff_s, status_forcelist=TRY_AGAIN, raise_on_status=False
        )


def fetch_source(recipe: Recipe, reporter: Reporter) -> Path:
    """Return where the cache keeps an upstream release, downloaded if need be. Raises FetchError."""
    digest = recipe.sha256 or recipe.sha512
    place = cache_dir() / "sources" / f"{digest[:24]}-{recipe.url.rsplit('/', 1)[-1]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    fetch(recipe.url, place, reporter, sha256=recipe.sha256, sha512=recipe.sha512)
    os.utime(place)  # used now: see prune_cache
    return place


def fetch(
    url: str,
    place: Path,
    reporter: Reporter,
    *,
    sha256: str = "",
    sha512: str = "",
    patience: Patience | None = None,
) -> None:
    """Have the content of `url` at `place`, with the given checksums (at least one).

    What an earlier run left unfinished beside it is resumed. Raises FetchError, ChecksumError; at
    `place` there is then nothing, or what was there and is right.
    """
    wanted = {name: value for name, value in (("sha256", sha256), ("sha512", sha512)) if value}
    if not wanted:
        raise FetchError(f"{url}: no checksum is declared for it")
    if place.exists() and not _wrong(place, wanted):
        return
    place.unlink(missing_ok=True)
    part = place.with_name(f".{place.name}.{next(iter(wanted.values()))[:12]}.part")
    try:
        with reporter.stage(f"downloading {url}"), _locked(part) as file:
            if place.exists():  # another run's, while we waited
                return
            _download(url, file, reporter, wanted, patience or Patience())
            os.fsync(file.fileno())
            os.replace(part, place)
    except OSError as error:  # also of closing the file, which writes what is left in its buffer
        raise FetchError(f"cannot keep {url} in {place.parent}: {error.strerror}") from error
    fsync_directory(place.parent)


@contextmanager
def _locked(part: Path) -> Iterator[IO[bytes]]:
    """Open the unfinished file for one run at a time."""
    with part.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _download(
    url: str, file: IO[bytes], reporter: Reporter, wanted: dict[str, str], patience: Patience
) -> None:
    """Get all of `url` into `file` and check it; what was resumed and is wrong is got once more from its start."""
    resumed = os.fstat(file.fileno()).st_size > 0
    _complete(url, file, reporter, patience)
    if resumed and _wrong_file(file, wanted):
        reporter.line("what was left of an earlier download does not fit: beginning anew")
        file.truncate(0)
        _complete(url, file, reporter, patience)
    if wrong := _wrong_file(file, wanted):
        name, found = wrong
        file.truncate(0)
        raise ChecksumError(url, name, wanted[name], found)


def _complete(url: str, file: IO[bytes], reporter: Reporter, patience: Patience) -> None:
    """Get the rest of `url`, as often interrupted as `patience` allows. Raises FetchError."""
    left = patience.retry()
    with requests.Session() as session, _progress(reporter) as told:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=patience.retry()))
        while True:
            try:
                _get_rest(session, url, file, told, patience)
            except _Interrupted as error:
                if left.total is not None and left.total <= 0:
                    raise FetchError(f"{url}: {error}", resolution=ADVICE) from error
                left = left.increment(method="GET", url=url)
                reporter.line(f"{error}: trying again")
                left.sleep()
            except requests.exceptions.RequestException as error:
                raise FetchError(f"{url}: {_reason(error)}", resolution=ADVICE) from error
            else:
                return


def _get_rest(
    session: requests.Session,
    url: str,
    file: IO[bytes],
    told: Callable[[int, int | None], None],
    patience: Patience,
) -> None:
    """Append what is missing of `url`. Raises _Interrupted, FetchError, RequestException."""
    have = os.fstat(file.fileno()).st_size
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    timeout = (patience.connect_s, patience.silent_s)
    with session.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable and have:
            return  # it is all there, or wrong: the checksum tells
        _refuse(url, answer)
        if have and not _continues(answer, have):
            file.truncate(0)
            have = 0
        length = answer.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        try:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                have += len(chunk)
                told(have, total)
        except (requests.exceptions.RequestException, HTTPError) as error:
            raise _Interrupted(f"the transfer ended after {have} bytes of {total or 'unknown'}") from error
        finally:
            file.flush()


def _refuse(url: str, answer: requests.Response) -> None:
    """Raise FetchError unless the answer brings content."""
    if answer.status_code in GONE:
        raise FetchError(
            f"{url}: it is not there (any more)", resolution="declare where it is now, or another release"
        )
    if answer.status_code not in (requests.codes.ok, requests.codes.partial_content):
        raise FetchError(f"{url}: the server answers {answer.status_code} {answer.reason}", resolution=ADVICE)


def _continues(answer: requests.Response, have: int) -> bool:
    """Whether the answer goes on where we are (RFC 9110, section 14.4)."""
    begins = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    return answer.status_code == requests.codes.partial_content and begins


def _reason(error: requests.exceptions.RequestException) -> str:
    """Return in a few words why there was no answer."""
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot connect"
    return str(error)


@contextmanager
def _progress(reporter: Reporter) -> Iterator[Callable[[int, int | None], None]]:
    """Yield what is told bytes had and bytes in all: a bar on a terminal, nothing elsewhere."""
    if reporter.as_json or not reporter.stream.isatty():
        yield lambda _have, _total: None
        return
    columns = (TextColumn("  "), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(file=reporter.stream), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda have, total: bar.update(task, completed=have, total=total)


def _wrong(path: Path, wanted: dict[str, str]) -> tuple[str, str] | None:
    with path.open("rb") as file:
        return _wrong_file(file, wanted)


def _wrong_file(file: IO[bytes], wanted: dict[str, str]) -> tuple[str, str] | None:
    """Return the first checksum that is not as wanted, by name and value; None when all are."""
    for name, value in wanted.items():
        file.seek(0)
        found = hashlib.file_digest(file, name).hexdigest()  # type: ignore[arg-type]
        if found != value:
            return name, found
    return None
