"""The repositories' keys: made on first use, kept outside the checkout in a folder of mode 0700.

Every key whose secret is there signs. Usually that is one; during a rotation they are two, the
older first (docs/repositories.md).
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kronos_packaging.repository.errors import SignatureError, SigningKeyError
from xapi_shim.base.atomic_file import fsync_directory
from xapi_shim.base.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xapi_shim.base.progress import Reporter

USER = "Kronos archive signing key"
# What apt of every target and rpm of Fedora read.
ALGORITHM = "ed25519"
# Long enough that rotating it is a planned thing, short enough that it happens.
EXPIRES = "3y"
# The words of gpg's doc/DETAILS for what is wrong with a signature.
REASONS = {
    "BADSIG": "the content is not what was signed",
    "EXPKEYSIG": "its key has expired",
    "EXPSIG": "it has expired",
    "REVKEYSIG": "its key was revoked",
    "ERRSIG": "its key is not in the keyring",
}


@dataclass(frozen=True)
class Key:
    """A key of ours; `expires_s` in seconds since 1970, 0 for never."""

    fingerprint: str
    created_s: int
    expires_s: int

    def expired(self, now_s: float) -> bool:
        return 0 < self.expires_s <= now_s


class Signer:
    """Signs files with GnuPG (gpg(1)); the keys have no passphrase, their folder keeps them.

    A context manager: the agent that gpg starts for the folder ends with it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        # Asked of gpg once: nobody but we changes them while we hold the repository.
        self._known: tuple[Key, ...] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        run(["gpgconf", "--homedir", os.fspath(self.home), "--kill", "gpg-agent"], check=False)

    def _gpg(self, *args: str | Path, stdin: str | None = None) -> str:
        argv = ["gpg", "--homedir", os.fspath(self.home), "--batch", "--no-tty", "--quiet", *args]
        return run(argv, stdin=stdin).stdout

    def ensure_key(self, reporter: Reporter) -> None:
        """Make the first key unless there is one. Raises ProcessError."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.chmod(0o700)
        if not self.all_keys():
            with reporter.stage(f"making the repository's signing key in {self.home}"):
                self.make_key()

    def make_key(self) -> Key:
        """Make one more key; return it."""
        before = {key.fingerprint for key in self.all_keys()}
        # --yes: a second key of the same name is what a rotation is about.
        self._gpg("--yes", "--passphrase", "", "--quick-generate-key", USER, ALGORITHM, "sign", EXPIRES)
        self._known = None
        (made,) = (key for key in self.all_keys() if key.fingerprint not in before)
        return made

    def all_keys(self) -> tuple[Key, ...]:
        """Return the keys whose secrets are there, in the order they came."""
        if self._known is None:
            self._known = self._listed()
        return self._known

    def _listed(self) -> tuple[Key, ...]:
        if not self.home.is_dir():
            return ()
        return parse_keys(self._gpg("--list-secret-keys", "--with-colons", "--fixed-list-mode"))

    def signing_keys(self) -> tuple[Key, ...]:
        """Return the keys that sign, the oldest first. Raises SigningKeyError when none can."""
        found = self.all_keys()
        good = tuple(key for key in found if not key.expired(time.time()))
        if not good:
            what = "the signing key has expired" if found else "there is no signing key"
            raise SigningKeyError(
                f"{self.home}: {what}", resolution="restore its backup, or see docs/repositories.md"
            )
        return good

    def retire(self, key: Key) -> Path:
        """Take a key out of use: its secret goes into a file of mode 0600 beside it. Return that.

        gpg writes the file itself: what a program prints may come into an error's text. Raises OSError, ProcessError;
        the key is then in use as before.
        """
        place = self.home / "retired" / f"{key.fingerprint}.asc"
        place.parent.mkdir(mode=0o700, exist_ok=True)
        aside = place.with_suffix(".new")
        aside.unlink(missing_ok=True)
        aside.touch(mode=0o600)
        self._gpg("--yes", "--armor", "--output", aside, "--export-secret-keys", key.fingerprint)
        aside.chmod(0o600)
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.rename(place)
        fsync_directory(place.parent)
        self._gpg("--yes", "--delete-secret-keys", key.fingerprint)
        self._known = None
        return place

    def export(self, path: Path, *, armor: bool = False) -> None:
        """Write the public keys: binary, as apt's Signed-By takes them, or armored, as rpm does."""
        path.unlink(missing_ok=True)
        words = ["--armor"] if armor else []
        fingerprints = [key.fingerprint for key in self.signing_keys()]
        self._gpg(*words, "--export-options", "export-minimal", "--output", path, "--export", *fingerprints)

    def _as_all(self) -> list[str]:
        return [word for key in self.signing_keys() for word in ("--local-user", key.fingerprint)]

    def sign_inline(self, source: Path, target: Path) -> None:
        """Write `source` with the signatures of all keys around it (InRelease)."""
        self._gpg("--yes", *self._as_all(), "--output", target, "--clear-sign", source)

    def sign_detached(self, source: Path, target: Path) -> None:
        """Write ASCII signatures of `source` by all keys (Release.gpg)."""
        self._gpg("--yes", *self._as_all(), "--armor", "--output", target, "--detach-sign", source)

    def sign_detached_once(self, source: Path, target: Path) -> None:
        """Write an ASCII signature by the oldest key alone: rpm's own reader takes one (repomd.xml.asc)."""
        oldest = self.signing_keys()[0].fingerprint
        self._gpg("--yes", "--local-user", oldest, "--armor", "--output", target, "--detach-sign", source)


def parse_keys(text: str) -> tuple[Key, ...]:
    """Return the keys of `gpg --with-colons` (doc/DETAILS of GnuPG), in the order it lists them."""
    keys: list[Key] = []
    primary: list[str] = []
    for fields in (line.split(":") for line in text.splitlines()):
        if fields[0] == "sec":
            primary = fields
        elif fields[0] == "fpr" and primary:
            keys.append(Key(fields[9], int(primary[5]), int(primary[6] or 0)))
            primary = []
    return tuple(sorted(keys, key=lambda key: key.created_s))


def parse_fingerprints(keyring: Path) -> set[str]:
    """Return the fingerprints of the keys in a public keyring, binary or armored. Raises ProcessError."""
    with tempfile.TemporaryDirectory() as home:
        argv = ["gpg", "--homedir", home, "--batch", "--with-colons", "--show-keys", os.fspath(keyring)]
        rows = [line.split(":") for line in run(argv).stdout.splitlines()]
    return {row[9] for row in rows if row[0] == "fpr"}


def verify(keyring: Path, signed: Path) -> bytes:
    """Return what an inline signature covers, checked against public keys as apt does.

    Text around the signed part is not returned: nobody vouches for it. Raises SignatureError.
    """
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "content")
        _check(keyring, signed, ["--output", os.fspath(content), os.fspath(signed)])
        return content.read_bytes()


def verify_detached(keyring: Path, signature: Path, content: Path) -> None:
    """Check a detached signature of `content`. Raises SignatureError."""
    _check(keyring, signature, [os.fspath(signature), os.fspath(content)])


def _check(keyring: Path, signed: Path, words: Sequence[str]) -> None:
    """Run gpgv(1): one good signature is enough, as for apt, and no bad one may be there.

    gpgv's own exit status is not: a second signature by a key that this keyring lacks is what a
    rotation looks like.
    """
    if not signed.exists():
        raise SignatureError(signed, "it is not there")
    argv = ["gpgv", "--quiet", "--status-fd", "1", "--keyring", os.fspath(keyring.absolute()), *words]
    told = [line.split()[1:] for line in run(argv, check=False).stdout.splitlines()]
    kinds = [words[0] for words in told if words]
    if "GOODSIG" in kinds and "BADSIG" not in kinds and "NODATA" not in kinds:
        return
    reason = next((REASONS[kind] for kind in REASONS if kind in kinds), "there is none that can be read")
    raise SignatureError(signed, reason)


def signing_home() -> Path:
    """Return $KRONOS_SIGNING_HOME, else kronos/signing below $XDG_DATA_HOME or ~/.local/share."""
    if own := os.environ.get("KRONOS_SIGNING_HOME"):
        return Path(own)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "kronos/signing"
