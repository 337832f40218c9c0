"""The certificate of a pool's master: the operator at the terminal compares it before the password is sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kronos_installer.detect.pool_master import LIMIT_S, LOOK_THERE, silent_master
from kronos_installer.problem import RefusedError
from kronos_installer.remote_client import look_at
from kronos_installer.time_limit import within
from kronos_installer.wishes import FINGERPRINT
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kronos_installer.interview import Terminal
    from kronos_installer.remote_client import Shown
    from kronos_installer.wishes import PoolWish

_ANSWERS = {"yes": True, "y": True, "no": False, "n": False}


class OtherMasterError(KronosError):
    """The operator says that the certificate is not the master's."""

    exit_status = 4

    def __init__(self, master: str) -> None:
        super().__init__(f"{master} was not sent the password; nothing was changed",
                         resolution=f"look on the master itself: {LOOK_THERE}")  # fmt: skip


def compare_certificate(
    pool: PoolWish, terminal: Terminal, look: Callable[[str], Shown] = look_at
) -> PoolWish:
    """Show the operator which certificate the master has; return the wish with its fingerprint, to which all is bound then.

    Raises RefusedError: it does not answer; OtherMasterError; NoAnswerError.
    """
    try:
        shown = within(LIMIT_S, lambda: look(pool.master)).fingerprint
    except (OSError, UnicodeError) as error:
        raise RefusedError((silent_master(pool, error),)) from error
    print(f"{pool.master} shows a certificate that nothing on this host vouches for, of the SHA-256 fingerprint\n"
          f"  {shown}\nOn the master itself this prints it: {LOOK_THERE}", file=terminal.output)  # fmt: skip
    question = "Is it the same (yes, no, or the fingerprint that you have)"
    if not terminal.ask(question, "no", lambda text: _is_same(text, replace(pool, fingerprint=shown))):
        raise OtherMasterError(pool.master)
    return replace(pool, fingerprint=shown)


def _is_same(text: str, shown: PoolWish) -> bool:
    if re.fullmatch(FINGERPRINT, text):
        return replace(shown, fingerprint=text).certificate == shown.certificate
    if text.lower() not in _ANSWERS:
        raise ValueError("yes, no, or the SHA-256 fingerprint")
    return _ANSWERS[text.lower()]
