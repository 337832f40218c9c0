"""What a line of shadow(5) says of an account."""

from __future__ import annotations

from dataclasses import dataclass

NOT_SET = -1


@dataclass(frozen=True)
class AccountState:
    """Why an account cannot be used, as far as shadow(5) knows."""

    locked: bool = False
    expired: bool = False
    password_expired: bool = False
    inactive: bool = False

    @property
    def usable(self) -> bool:
        """Whether somebody who has logged in may stay: an old password alone sends nobody away."""
        return not (self.locked or self.expired or self.inactive)


def account_state(line: str, today: int) -> AccountState:
    """Return the state that a line of shadow(5) describes on day `today` since the epoch.

    What is no number counts as not set; a line with too few fields says nothing.
    """
    fields = line.rstrip("\n").split(":")
    if len(fields) < 8:
        return AccountState()
    changed, longest, grace, expires = (_number(fields[at]) for at in (2, 4, 6, 7))
    last_good = changed + longest if NOT_SET not in (changed, longest) else NOT_SET
    old = changed == 0 or (last_good != NOT_SET and today > last_good)
    return AccountState(
        locked=fields[1].startswith("!"),
        expired=expires != NOT_SET and today >= expires,
        password_expired=old,
        inactive=NOT_SET not in (last_good, grace) and today > last_good + grace,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else NOT_SET
