"""host.*: what the host is called, by people and by storage, and where its log goes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xapi_shim.api.host_clock import is_host_or_address
from xapi_shim.api.host_errors import host_errors
from xapi_shim.datamodel.errors import HostNameInvalidError, InvalidValueError
from xapi_shim.host.config_files import replace_files
from xapi_shim.host.interface import ServiceMissingError

if TYPE_CHECKING:
    from xapi_shim.api.toolstack import Call, Toolstack

# Linux's HOST_NAME_MAX (gethostname(2)); a label's length is RFC 1123's.
MAX_HOSTNAME = 64
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
# RFC 7143, 4.2.7: iqn.YYYY-MM.reversed.domain[:anything], or an EUI-64 or NAA number.
_INITIATOR = re.compile(
    r"iqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[a-z0-9-]+(\.[a-z0-9-]+)*(:[^\s#]+)?|eui\.[0-9A-Fa-f]{16}|naa\.([0-9A-Fa-f]{16}){1,2}"
)
_NAME_LINE = re.compile(r"^InitiatorName=(.*)$", re.MULTILINE)
MULTIPATHD, RSYSLOG, ISCSID = "multipathd.service", "rsyslog.service", "iscsid.service"


def check_hostname(name: str) -> None:
    """Raise HOST_NAME_INVALID [why] for what cannot be a host's name (RFC 1123, hostname(7))."""
    if not name:
        raise HostNameInvalidError("the name is empty")
    if len(name) > MAX_HOSTNAME:
        raise HostNameInvalidError(f"the name has more than {MAX_HOSTNAME} characters")
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise HostNameInvalidError("a name is labels of letters, digits and hyphens, between dots")


async def set_hostname_live(call: Call, host: str, hostname: str) -> None:
    """Name the host, now and after a boot. Raises HOST_NAME_INVALID [why]."""
    check_hostname(hostname)
    with host_errors():
        await call.tools.system.machine.set_hostname(hostname)
    software = {**call.db.mapping("host", host, "software_version"), "hostname": hostname}
    call.db.update("host", host, hostname=hostname, software_version=dict(software))


async def set_iscsi_iqn(call: Call, host: str, value: str) -> None:
    """Choose the name by which iSCSI targets know the host. Raises INVALID_VALUE [value; name]."""
    if len(value) > 223 or not _INITIATOR.fullmatch(value):
        raise InvalidValueError("value", value)
    tools = call.tools
    path = tools.paths.initiator_name
    with host_errors():
        text = path.read_text() if path.exists() else ""
        line = f"InitiatorName={value}"
        new = _NAME_LINE.sub(line, text, count=1) if _NAME_LINE.search(text) else f"{text}{line}\n"

        async def take() -> None:
            await tools.system.services.restart_if_running(ISCSID)

        await replace_files({path: new.encode()}, take)
    config = {**call.db.mapping("host", host, "other_config"), "iscsi_iqn": value}
    call.db.update("host", host, iscsi_iqn=value, other_config=dict(config))


async def set_multipathing(call: Call, host: str, value: bool) -> None:  # noqa: FBT001
    """Have the host use all paths to a disk as one, or not: runs multipathd, now and at boot.

    Raises OPERATION_NOT_ALLOWED [why] where it is not installed.
    """
    services, db = call.tools.system.services, call.db
    with host_errors():
        there = await services.present(MULTIPATHD)
        if value and not there:
            raise ServiceMissingError((MULTIPATHD,))
        if value:
            await services.enable(MULTIPATHD)
        elif there:
            await services.disable(MULTIPATHD)
    config = db.mapping("host", host, "other_config")
    # Storage drivers look there.
    config["multipathing"] = str(value).lower()
    if value:
        config.setdefault("multipathhandle", "dmp")
    db.update("host", host, multipathing=value, other_config=dict(config))


def _remote_syslog(destination: str) -> bytes:
    """Return rsyslog.conf(5) text that sends everything to `destination`, HOST or HOST:PORT, by UDP."""
    host, port = _split(destination)
    text = f'*.* action(type="omfwd" target="{host}" port="{port}" protocol="udp")\n'
    return f"# host.syslog_reconfigure\n{text}".encode()


def _split(destination: str) -> tuple[str, int]:
    """Return host and port. Raises INVALID_VALUE [syslog_destination; value]."""
    host, colon, port = destination.rpartition(":")
    if not colon or is_host_or_address(destination):
        host, port = destination, "514"
    host = host.removeprefix("[").removesuffix("]")
    if (
        not is_host_or_address(host)
        or not port.isascii()
        or not port.isdigit()
        or not 0 < int(port) < 1 << 16
    ):
        raise InvalidValueError("syslog_destination", destination)
    return host, int(port)


async def syslog_reconfigure(call: Call, host: str) -> None:
    """Send the host's log where host.logging's `syslog_destination` says too, nowhere else without it.

    Raises INVALID_VALUE [syslog_destination; value], OPERATION_NOT_ALLOWED [why] without rsyslog.
    """
    tools, services = call.tools, call.tools.system.services
    destination = call.db.mapping("host", host, "logging").get("syslog_destination", "").strip()
    text = _remote_syslog(destination) if destination else None
    with host_errors():
        if text is not None and not await services.present(RSYSLOG):
            raise ServiceMissingError((RSYSLOG,))

        async def take() -> None:
            if await services.present(RSYSLOG):
                await services.restart_if_running(RSYSLOG)

        await replace_files({tools.paths.remote_syslog: text}, take)


def settle_iscsi_iqn(tools: Toolstack) -> None:
    """At start-up: make the host's record true to open-iscsi's file, where there is one. Raises OSError."""
    path = tools.paths.initiator_name
    if path.exists() and (found := _NAME_LINE.search(path.read_text())):
        tools.db.set("host", tools.host, "iscsi_iqn", found[1].strip())


MESSAGES = {
    "host.set_hostname_live": set_hostname_live,
    "host.set_iscsi_iqn": set_iscsi_iqn,
    "host.set_multipathing": set_multipathing,
    "host.syslog_reconfigure": syslog_reconfigure,
}
