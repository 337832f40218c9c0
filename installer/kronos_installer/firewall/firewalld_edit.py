"""firewalld: its zones are small XML files (firewalld.zone(5)); the bridge joins the interface's zone, which lets HTTPS in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.firewall.edit import Edited, changed, not_understood
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_OWN = "/etc/firewalld/zones"
# The reference's names of services by their ports; others are written as ports.
_SERVICES = {443: "https"}


def edit_firewalld(
    files: Mapping[str, bytes], zones: Mapping[str, str], nic: str, ports: Sequence[int]
) -> Edited:
    """Return the interface's zone as it must be; a zone of the package's becomes a file of the operator's.

    `zones` are those that interfaces are bound to elsewhere, and the default one under "". A zone that an interface
    is bound to by its connection goes to the bridge with the connection; one that its own file names must name the bridge.
    """
    texts = {path: content.decode("latin-1") for path, content in files.items()}
    bound = next((path for path, text in texts.items() if _has(text, "interface", "name", nic)), "")
    name = bound.rpartition("/")[2].removesuffix(".xml") or zones.get(nic) or zones[""]
    path = bound or next((path for path in texts if path.endswith(f"/{name}.xml")), "")
    result = Edited()
    if not path:
        result.problems.append(
            not_understood("firewalld", f"the zone {name} is not there", f"{_OWN}/{name}.xml:1")
        )
        return result
    text = texts[path]
    lines = [] if not bound or _has(text, "interface", "name", BRIDGE) else [f'<interface name="{BRIDGE}"/>']
    if not re.search(r"<zone[^>]*\btarget\s*=\s*[\"']ACCEPT", text):
        lines += [line for port in ports if (line := _opening(text, port))]
    end = _COMMENT.sub(lambda found: " " * len(found[0]), text).rfind("</zone>")
    if lines and end < 0:
        result.problems.append(not_understood("firewalld", f"the zone {name} is not understood", f"{path}:1"))
    elif lines:
        text = text[:end] + "".join(f"  {line}\n" for line in lines) + text[end:]
        result.files = changed(
            {path: files[path]} if path.startswith(_OWN) else {}, {f"{_OWN}/{name}.xml": text}
        )
    return result


def _opening(text: str, port: int) -> str:
    service = _SERVICES.get(port, "")
    if service and _has(text, "service", "name", service):
        return ""
    return f'<service name="{service}"/>' if service else f'<port port="{port}" protocol="tcp"/>'


def _has(text: str, element: str, attribute: str, value: str) -> bool:
    """Tell whether the zone has the element, outside comments."""
    code = _COMMENT.sub("", text)
    return bool(re.search(rf"<{element}\s[^>]*\b{attribute}\s*=\s*([\"']){re.escape(value)}\1", code))
