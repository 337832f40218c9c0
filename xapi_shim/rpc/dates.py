"""XenAPI's dates: YYYYMMDDTHH:MM:SSZ, and the epoch for "never"."""

from __future__ import annotations

from datetime import UTC, datetime

NEVER = "19700101T00:00:00Z"


def now_text() -> str:
    """Return this moment, UTC, to the second."""
    return to_text(datetime.now(UTC))


def to_text(moment: datetime) -> str:
    """Return an aware `moment` in XenAPI's form."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H:%M:%SZ")


def from_text(text: str) -> datetime:
    """Parse XenAPI's own form. Raises ValueError."""
    return datetime.strptime(text, "%Y%m%dT%H:%M:%SZ").replace(tzinfo=UTC)
