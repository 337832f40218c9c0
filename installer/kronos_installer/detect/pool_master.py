"""The pool that is to be joined, as its master tells it: asked once, read-only, before anything is changed."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kronos_installer.password_file import PasswordFileError, read_password
from kronos_installer.problem import Level, Problem
from kronos_installer.remote_client import HTTPS_PORT, OtherCertificateError, look_at, remote_session
from kronos_installer.wishes import PEER, SHA256
from kronos_installer.xenapi_client import XenApiFailureError, XenApiUnreachableError

if TYPE_CHECKING:
    from kronos_installer.host_files import HostFiles
    from kronos_installer.remote_client import Shown
    from kronos_installer.wishes import PoolWish
    from kronos_installer.xenapi_client import Session

# All of it, looking up the name included.
LIMIT_S = 20.0
# How an operator of the master sees the fingerprint of its certificate.
LOOK_THERE = "openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem"
# xapi's dates are UTC, and have no separators.
DATE = "%Y%m%dT%H:%M:%SZ"


@dataclass(frozen=True)
class PoolHost:
    """A host of the pool; `live`: the master has heard of it lately."""

    uuid: str
    name: str
    live: bool


@dataclass(frozen=True)
class PoolMaster:
    """A pool, as it matters to who joins.

    `fingerprint` is the SHA-256 of the certificate that the master shows, `address` the IP address at which it answered,
    `software` its host.software_version. `verifies`: the pool's hosts verify each other's certificates. `vlan` is the tag of its management interface, -1 without one.
    `seconds_ahead` is how much its clock is ahead of this host's.
    """

    fingerprint: str
    address: str
    software: dict[str, str]
    cpu_vendor: str
    cpu_family: str
    hosts: tuple[PoolHost, ...]
    vlan: int
    address_type: str
    external_auth: str
    ha_enabled: bool
    verifies: bool
    seconds_ahead: float


def read_pool_master(files: HostFiles, pool: PoolWish, port: int = HTTPS_PORT) -> PoolMaster | Problem:
    """Ask the master; what it, or its silence, makes impossible is a Problem. Returns within LIMIT_S.

    Nothing is sent to one that does not show the certificate whose fingerprint the operator has given.
    """
    found: list[PoolMaster | Problem] = []
    # Looking a name up has no limit of its own, and answers may come a byte at a time.
    asking = threading.Thread(target=lambda: found.append(_ask(files, pool, port)), daemon=True)
    asking.start()
    asking.join(LIMIT_S)
    return found[0] if found else silent_master(pool, f"no answer within {LIMIT_S:.0f} s")


def _ask(files: HostFiles, pool: PoolWish, port: int) -> PoolMaster | Problem:
    try:
        password = read_password(files, pool.password_file)
        shown = look_at(pool.master, port)
        # The plan, and so the join, is bound to what was shown here: that is compared, not the next connection's alone.
        if pool.certificate not in ("", shown.fingerprint):
            raise OtherCertificateError(pool.master, shown.fingerprint, pool.certificate)
        with remote_session(shown.address, pool.username, password, shown.fingerprint, port) as session:
            return _read(session, shown)
    except PasswordFileError as error:
        return _problem("pool-password-file", f"the pool's password is not to be had: {error.message}",
                        f"{pool.password_file}:1", error.resolution)  # fmt: skip
    except XenApiFailureError as error:
        return _refusal(pool, error)
    except XenApiUnreachableError as error:
        if isinstance(error.__cause__, OtherCertificateError):
            return _other_certificate(pool, error.__cause__)
        return silent_master(pool, error.__cause__ or error)
    except OtherCertificateError as error:
        return _other_certificate(pool, error)
    except (OSError, UnicodeError) as error:
        return silent_master(pool, error)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return _problem("pool-master-unclear", f"what {pool.master} tells of its pool is not understood ({error!r})",
                        f"{pool.master}:{port}", "see that it runs the toolstack of this host's version")  # fmt: skip


def _read(session: Session, shown: Shown) -> PoolMaster:
    """Raises XenApiUnreachableError, XenApiFailureError; KeyError, TypeError or ValueError for records unlike ones."""
    (pool,) = session.call("pool.get_all_records").values()
    hosts = session.call("host.get_all_records")
    metrics = session.call("host_metrics.get_all_records")
    master, asked = hosts[pool["master"]], time.time()
    told = datetime.strptime(str(session.call("host.get_servertime", pool["master"])), DATE)
    now = (asked + time.time()) / 2
    own = [pif for pif in session.call("PIF.get_all_records").values()
           if pif["host"] == pool["master"] and pif["management"] is True]  # fmt: skip
    return PoolMaster(
        fingerprint=shown.fingerprint,
        address=shown.address,
        software={str(key): _text(value) for key, value in master["software_version"].items()},
        cpu_vendor=_text(master["cpu_info"].get("vendor", "")),
        cpu_family=_text(master["cpu_info"].get("family", "")),
        hosts=tuple(_host(host, metrics) for host in hosts.values()),
        vlan=int(own[0]["VLAN"]) if own else -1,
        address_type=_text(own[0]["primary_address_type"]) if own else "",
        external_auth=_text(master["external_auth_type"]),
        ha_enabled=pool["ha_enabled"] is True,
        verifies=pool["tls_verification_enabled"] is True,
        seconds_ahead=told.replace(tzinfo=UTC).timestamp() - now,
    )


def inner_fingerprints(session: Session) -> tuple[str, ...]:
    """Return the SHA-256 of the certificates that a pool's master shows to its pool's hosts.

    It has another one for clients, by which the operator knows it. Raises XenApiUnreachableError, XenApiFailureError,
    ValueError where it does not tell.
    """
    try:
        (pool,) = session.call("pool.get_all_records").values()
        inner = tuple(
            str(one["fingerprint_sha256"])
            for one in session.call("Certificate.get_all_records").values()
            if (one["host"], one["type"]) == (pool["master"], "host_internal")
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"what it tells of its certificates is not understood ({error!r})") from error
    if not inner or not all(re.fullmatch(SHA256, one) for one in inner):
        raise ValueError("it does not tell which certificate it shows to its pool's hosts")
    return inner


def _host(host: dict[str, Any], metrics: dict[str, Any]) -> PoolHost:
    live = metrics.get(host["metrics"], {}).get("live") is True
    return PoolHost(_text(host["uuid"]), _text(host["name_label"]), live)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"{found!r} is no text")
    return found


def _problem(id_: str, title: str, at: str, remedy: str) -> Problem:
    return Problem(Level.ERROR, id_, title, "", at, remedy)


def silent_master(pool: PoolWish, why: object) -> Problem:
    """Return the problem of a master that does not answer."""
    return _problem("pool-master-silent", f"the pool's master {pool.master} does not answer: {why}",
                    f"{pool.master}:{HTTPS_PORT}", "see that it runs, and that no firewall is between")  # fmt: skip


def _other_certificate(pool: PoolWish, error: OtherCertificateError) -> Problem:
    given = "given" if pool.fingerprint else "shown just before"
    return _problem("pool-master-other-certificate", f"{pool.master} shows a certificate of the SHA-256 fingerprint "
                    f"{error.shown}, the one {given} is {error.expected}; the password was not sent",
                    f"{pool.master}:{HTTPS_PORT}", "it has got a new certificate, or another host answers in its place: "
                    f"look on the master itself ({LOOK_THERE}) and give what that prints: --join-fingerprint")  # fmt: skip


def _refusal(pool: PoolWish, error: XenApiFailureError) -> Problem:
    at = f"{pool.master}: {error.method}"
    if error.code == "HOST_IS_SLAVE":
        # It is to be typed, and who says it may be anybody.
        named = next((one for one in error.params if re.fullmatch(PEER, one)), "another host")
        own = f", and --join-fingerprint of its certificate: {LOOK_THERE}" if pool.fingerprint else ""
        return _problem("pool-master-is-member", f"{pool.master} is a member of the pool of {named} (HOST_IS_SLAVE)",
                        at, f"--join {named}{own}")  # fmt: skip
    if error.code == "SESSION_AUTHENTICATION_FAILED":
        return _problem("pool-login-refused", f"{pool.master} does not let {pool.username} in with that password "
                        "(SESSION_AUTHENTICATION_FAILED)", f"{pool.password_file}:1",
                        "write the password of a pool administrator there, or name another --username")  # fmt: skip
    return _problem("pool-master-refuses", f"{pool.master} does not tell of its pool: "
                    f"{error.method} ({error.code})", at, "join as a pool administrator")  # fmt: skip
