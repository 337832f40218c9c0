"""The local superuser's password, changed by chpasswd(8): through PAM where the distribution builds it so."""

from __future__ import annotations

from xapi_shim.base.errors import KronosError
from xapi_shim.base.process import ProcessError, run_async
from xapi_shim.datamodel.errors import ChangePasswordRejectedError

LONGEST = 512
TIMEOUT_S = 60.0


def refusal(password: str) -> str:
    """Return why a new password cannot be passed on, "" where it can: one line of text for chpasswd."""
    if not password:
        return "The new password is empty"
    if len(password) > LONGEST:
        return f"The new password has more than {LONGEST} characters"
    if not password.isprintable():
        return "The new password has characters that cannot be typed"
    return ""


async def change_password(user: str, password: str) -> None:
    """Give `user` a password, which goes to the program by its standard input.

    Raises CHANGE_PASSWORD_REJECTED [why].
    """
    if why := refusal(password):
        raise ChangePasswordRejectedError(why)
    try:
        await run_async(["chpasswd"], stdin=f"{user}:{password}\n", timeout_s=TIMEOUT_S)
    except ProcessError as error:
        raise ChangePasswordRejectedError(error.stderr.strip() or "chpasswd failed") from error
    except KronosError as error:
        raise ChangePasswordRejectedError(str(error)) from error
