"""What Samba's programs are told and what they say: configuration, answers, failures. All pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from xapi_shim.directory.interface import Why

# The type that wbinfo(1) gives with a name: a user; others are kinds of groups.
USER = 1
# userAccountControl's bit for an account that is disabled ([MS-ADTS] 2.2.16).
DISABLED = 0x2
# accountExpires of an account that never does ([MS-ADA1] 2.2).
NEVER = (0, 0x7FFFFFFFFFFFFFFF)
# From the epoch of Windows (1601) to that of Unix, in seconds; its unit is 100 ns.
EPOCH_S, UNITS_PER_S = 11_644_473_600, 10_000_000
NO_SUCH_OBJECT = "No such object"

_DOMAIN = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_USER = re.compile(r"[^\s%\-][^%\x00-\x1f]*")
_SID = re.compile(r"S-1(?:-[0-9]{1,15}){1,16}")
_WORKGROUP = re.compile(r"^Workgroup: (\S+)$", re.MULTILINE)
_SID_LINE = re.compile(r"(S-1-\S+) SID_\w+ \(\d+\)")
_NAME_LINE = re.compile(r"(.+) (\d+)")
# The first that is found tells why: a join that fails early repeats what it was about to do.
_FAILURES = (
    (Why.WRONG_CREDENTIALS, ("logon is invalid", "Invalid credentials", "LOGON_FAILURE", "Preauthentication failed",
                             "Client not found in Kerberos", "WRONG_PASSWORD", "NO_SUCH_USER")),
    (Why.INVALID_ACCOUNT, ("currently disabled", "ACCOUNT_DISABLED", "ACCOUNT_LOCKED_OUT", "locked out",
                           "PASSWORD_EXPIRED", "PASSWORD_MUST_CHANGE", "ACCOUNT_EXPIRED", "has expired")),
    (Why.INVALID_OU, ("failed to precreate account in ou",)),
    (Why.PERMISSION_DENIED, ("ACCESS_DENIED", "Access denied", "Access is denied", "Insufficient access")),
    (Why.NO_DOMAIN, ("failed to find DC", "cldap server", "NO_LOGON_SERVERS", "DOMAIN_CONTROLLER_NOT_FOUND",
                     "NO_SUCH_DOMAIN")),
    (Why.UNAVAILABLE, ("WINBIND_NOT_AVAILABLE", "CONNECTION_REFUSED", "IO_TIMEOUT", "HOST_UNREACHABLE")),
)  # fmt: skip
# What `net` says each time that it would read the password again, which it has.
_NOISE = "Error reading password from file descriptor"


def is_domain(name: str) -> bool:
    """Say whether `name` is the DNS name of a domain (RFC 1123)."""
    return len(name) <= 253 and bool(_DOMAIN.fullmatch(name))


def is_user(name: str) -> bool:
    """Say whether `net` takes `name` for a user's name alone: after `%` it expects a password."""
    return len(name) <= 256 and bool(_USER.fullmatch(name))


def is_sid(text: str) -> bool:
    return bool(_SID.fullmatch(text))


def why_failed(output: str) -> Why:
    """Return the kind of failure that `net`'s output tells of."""
    for why, phrases in _FAILURES:
        if any(phrase in output for phrase in phrases):
            return why
    return Why.OTHER


def last_words(output: str) -> str:
    """Return the line of `net`'s output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith(_NOISE)]
    return lines[-1] if lines else "it does not say why"


def workgroup_of(output: str) -> str:
    """Return the domain's short name from `net ads workgroup`, "" where it is not there."""
    found = _WORKGROUP.search(output)
    return found[1] if found else ""


def sid_of(output: str) -> str:
    """Return the SID from `wbinfo --name-to-sid`, "" where there is none."""
    found = _SID_LINE.match(output)
    return found[1] if found else ""


def name_of(output: str) -> tuple[str, int]:
    r"""Return `DOMAIN\name` and its type from `wbinfo --sid-to-name`, ("", 0) where there is none."""
    found = _NAME_LINE.match(output)
    return (found[1], int(found[2])) if found else ("", 0)


def sids_of(output: str) -> frozenset[str]:
    return frozenset(line for line in output.split() if is_sid(line))


def attributes(output: str) -> dict[str, str]:
    """Return the attributes that `net ads sid` prints, one a line."""
    pairs = (line.partition(": ") for line in output.splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


@dataclass(frozen=True)
class AdState:
    """What a domain says of an account."""

    disabled: bool
    expired: bool
    locked: bool

    @property
    def usable(self) -> bool:
        """Whether somebody who has logged in may stay: others' wrong passwords send nobody away."""
        return not (self.disabled or self.expired)


def ad_state(values: dict[str, str], now_s: float) -> AdState:
    """Return an account's state from its attributes at `now_s` seconds since Unix's epoch."""
    expires = _number(values.get("accountExpires", "0"))
    return AdState(
        disabled=bool(_number(values.get("userAccountControl", "0")) & DISABLED),
        expired=expires not in NEVER and expires / UNITS_PER_S - EPOCH_S <= now_s,
        locked=_number(values.get("lockoutTime", "0")) != 0,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def basic_line(user: str, password: str) -> str:
    """Return the line by which ntlm_auth(1) is asked about a password (squid-2.5-basic)."""
    return f"{quote(user, safe='')} {quote(password, safe='')}\n"


def smb_conf(realm: str, workgroup: str) -> str:
    """Return smb.conf(5) of a member of a domain that serves no files."""
    return f"""\
# Made by xapi when the host joined {realm}; the former file comes back when it leaves.
[global]
server role = member server
security = ads
realm = {realm.upper()}
workgroup = {workgroup}
kerberos method = secrets only
idmap config * : backend = autorid
idmap config * : range = 2000000-99999999
winbind refresh tickets = yes
template shell = /usr/sbin/nologin
disable spoolss = yes
"""
