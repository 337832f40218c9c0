"""ufw: its rules are in files of iptables-restore(8) with a comment line, a tuple, above each (ufw-framework(8)).

`ufw allow` writes the same lines, and loads them at once; the files alone are changed here, and are loaded by the boot.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.firewall.edit import COMMENT, Edited, changed, matches, not_understood
from kronos_installer.firewall.iptables_edit import copied_for_bridge
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RULES = "### RULES ###"
_TUPLE = "### tuple ###"
# By file: the chain, and what stands for any address.
_USER_RULES = {
    "/etc/ufw/user.rules": ("ufw-user-input", "0.0.0.0/0"),
    "/etc/ufw/user6.rules": ("ufw6-user-input", "::/0"),
}


def edit_ufw(files: Mapping[str, bytes], nic: str, ports: Sequence[int]) -> Edited:
    """Return the files as they must be: user.rules, before.rules and after.rules, and their like for IPv6."""
    result = Edited()
    new = {}
    for path, content in files.items():
        lines = content.decode("latin-1").splitlines(keepends=True)
        if path in _USER_RULES:
            lines = _opened(path, _blocks_for_bridge(lines, nic), ports, result)
        new[path] = "".join(
            copied_for_bridge(path, lines, nic, "ufw", result) if path not in _USER_RULES else lines
        )
    result.files = changed(files, new)
    return result


def _blocks_for_bridge(lines: list[str], nic: str) -> list[str]:
    """Return the lines with each tuple that names the interface, and its rules, written for the bridge after it."""
    new: list[str] = []
    block: list[str] = []
    for line in [*lines, ""]:
        if block and not line.startswith("-A "):
            new += ["\n", *block]
            block = []
        new.append(line)
        if line.startswith(_TUPLE):
            found = re.search(r"\b(in|out)_([^\s!]+)", line)
            if found and matches(found[2], nic):
                block = [line.replace(f"{found[1]}_{found[2]}", f"{found[1]}_{BRIDGE}")]
        elif block:
            block.append(
                re.sub(r"(\s-[io]\s+)(\S+)", lambda m: m[1] + (BRIDGE if matches(m[2], nic) else m[2]), line)
            )
    return new[:-1] if new[-1] == "" else new


def _opened(path: str, lines: list[str], ports: Sequence[int], result: Edited) -> list[str]:
    if not ports:
        return lines
    place = next((n for n, line in enumerate(lines, 1) if line.strip() == _RULES), 0)
    if not place:
        result.problems.append(not_understood("ufw", f"there is no line {_RULES!r}", f"{path}:1"))
        return lines
    chain, anywhere = _USER_RULES[path]
    rules: list[str] = []
    for port in ports:
        rule = f"-A {chain} -p tcp --dport {port} -j ACCEPT\n"
        if rule not in lines:
            comment = COMMENT.encode().hex()
            rules += [f"\n{_TUPLE} allow tcp {port} {anywhere} any {anywhere} in comment={comment}\n", rule]
    return [*lines[:place], *rules, *lines[place:]]
