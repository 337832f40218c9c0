"""The Cookie header, as XenAPI's clients send it."""

from __future__ import annotations

import re


def cookies(header: str) -> dict[str, str]:
    """Return the pairs of a Cookie header; old clients separate them by `&`, others by `;`."""
    pairs = (part.partition("=") for part in re.split("[&;]", header))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}
