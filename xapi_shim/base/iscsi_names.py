"""What an iSCSI target may be called, and where it listens (RFC 7143)."""

from __future__ import annotations

import re
from typing import Final

# RFC 7143, 13.1: assigned by IANA.
ISCSI_PORT: Final = 3260
# RFC 7143, 4.2.7: at most 223 bytes; RFC 3722 has names in lower case, targets that are met have others too.
_MOST_NAME = 223
_NAME = re.compile(
    r"iqn\.[0-9]{4}-[0-9]{2}\.[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[A-Za-z0-9._:-]*)?"
    r"|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16}(?:[0-9A-Fa-f]{16})?"
)


def is_target_name(text: str) -> bool:
    """Tell whether a target may be called so."""
    return len(text) <= _MOST_NAME and _NAME.fullmatch(text) is not None
