"""The repository's key: made on first use, kept outside the checkout in a folder of mode 0700."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from xapi_shim.base.process import run

if TYPE_CHECKING:
    from xapi_shim.base.progress import Reporter

USER = "Kronos archive signing key"
# What apt of every target and rpm of Fedora read.
ALGORITHM = "ed25519"
# Long enough that rotating it is a planned thing, short enough that it happens.
EXPIRES = "3y"


class Signer:
    """Signs files with GnuPG (gpg(1)); the key has no passphrase, its folder keeps it.

    A context manager: the agent that gpg starts for the folder ends with it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        run(["gpgconf", "--homedir", os.fspath(self._home), "--kill", "gpg-agent"], check=False)

    def _gpg(self, *args: str | Path, stdin: str | None = None) -> str:
        argv = ["gpg", "--homedir", os.fspath(self._home), "--batch", "--no-tty", "--quiet", *args]
        return run(argv, stdin=stdin).stdout

    def ensure_key(self, reporter: Reporter) -> None:
        """Make the key unless there is one. Raises ProcessError."""
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._home.chmod(0o700)
        if "sec:" in self._gpg("--list-secret-keys", "--with-colons"):
            return
        with reporter.stage(f"making the repository's signing key in {self._home}"):
            self._gpg("--passphrase", "", "--quick-generate-key", USER, ALGORITHM, "sign", EXPIRES)

    def export(self, path: Path) -> None:
        """Write the public key, binary, as apt's Signed-By takes it."""
        path.unlink(missing_ok=True)
        self._gpg("--output", path, "--export", USER)

    def sign_inline(self, source: Path, target: Path) -> None:
        """Write `source` with its signature around it (InRelease)."""
        self._gpg("--yes", "--local-user", USER, "--output", target, "--clear-sign", source)

    def sign_detached(self, source: Path, target: Path) -> None:
        """Write an ASCII signature of `source` (Release.gpg)."""
        self._gpg("--yes", "--local-user", USER, "--armor", "--output", target, "--detach-sign", source)


def verify(keyring: Path, signed: Path) -> bytes:
    """Return what an inline signature covers, checked against a public key as apt does (gpgv(1)).

    Raises ProcessError. Text around the signed part is not returned: nobody vouches for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder, "content")
        run(["gpgv", "--quiet", "--keyring", os.fspath(keyring), "--output", content, os.fspath(signed)])
        return content.read_bytes()


def signing_home() -> Path:
    """Return $KRONOS_SIGNING_HOME, else kronos/signing below $XDG_DATA_HOME or ~/.local/share."""
    if own := os.environ.get("KRONOS_SIGNING_HOME"):
        return Path(own)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "kronos/signing"
