"""Saved iptables rules (iptables-save(8)), which ufw's files are too: a rule for the interface gets a copy for the bridge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.firewall.edit import COMMENT, Edited, changed, matches, not_plain
from kronos_installer.network.stack import BRIDGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RULE = re.compile(r"\s*(?:\[\d+:\d+\]\s*)?(?:-[AI]|--append|--insert)\s")
# iptables-save -c, which Fedora's service uses with IPTABLES_SAVE_COUNTER=yes.
_COUNTERS = re.compile(r"^\s*\[\d+:\d+\]\s*")
_ADDS = frozenset({"-A", "-I", "--append", "--insert"})
_JUMPS = frozenset({"-j", "--jump"})
_LEADS = _JUMPS | {"-g", "--goto"}
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_INTERFACE = frozenset({"-i", "--in-interface", "-o", "--out-interface"})


def edit_iptables(files: Mapping[str, bytes], nic: str, ports: Sequence[int]) -> Edited:
    """Return the files as they must be. A port is opened before the first rule of INPUT, where rules or policy may refuse."""
    result = Edited()
    new = {}
    for path, content in files.items():
        lines = copied_for_bridge(
            path, content.decode("latin-1").splitlines(keepends=True), nic, "iptables", result
        )
        new[path] = "".join(_opened(lines, ports))
    result.files = changed(files, new)
    return result


def copied_for_bridge(path: str, lines: list[str], nic: str, kind: str, result: Edited) -> list[str]:
    """Return the lines with a copy for the bridge after each rule for `nic`; others that name it are problems."""
    new: list[str] = []
    for number, line in enumerate(lines, 1):
        new.append(line)
        code = "" if line.lstrip().startswith("#") else line
        words = _WORD.findall(code)
        if BRIDGE in words or not any(matches(word.strip('"'), nic) for word in words):
            continue
        copy = _copy(code, nic) if _RULE.match(code) else ""
        if copy:
            new.append(copy if copy.endswith("\n") else copy + "\n")
        else:
            result.problems.append(not_plain(kind, nic, f"{path}:{number}"))
    return new


def _copy(line: str, nic: str) -> str:
    """Return the rule for the bridge, "" where the interface stands elsewhere than after an unnegated -i or -o."""
    new, end, before = "", 0, ["", ""]
    for word in _WORD.finditer(line):
        if matches(word[0].strip('"'), nic):
            if before[1] not in _INTERFACE or before[0] == "!":
                return ""
            new += line[end : word.start()] + BRIDGE
            end = word.end()
        before = [before[1], word[0]]
    return new + line[end:]


def _opened(lines: list[str], ports: Sequence[int]) -> list[str]:
    table, policy, first, end = "", "", 0, 0
    refuses = False
    plain = [_COUNTERS.sub("", line) for line in lines]
    for place, line in enumerate(plain):
        words = line.split()
        if line.startswith("*"):
            table = words[0][1:]
        elif table == "filter" and words[:1] == [":INPUT"]:
            policy = words[1] if len(words) > 1 else ""
        elif table == "filter" and words[:2] in (["-P", "INPUT"], ["--policy", "INPUT"]):
            policy = "".join(words[2:3])
        elif table == "filter" and words[:1] == ["COMMIT"]:
            end, table = place, ""
        elif table == "filter" and words[:1] and words[0] in _ADDS and words[1:2] == ["INPUT"]:
            first = first or place
            refuses = refuses or _may_refuse(words)
    if not end or not (refuses or policy not in ("", "ACCEPT")):
        return lines
    place = first or end
    rules = [
        f"-A INPUT -p tcp -m tcp --dport {port} -m comment --comment {COMMENT} -j ACCEPT\n" for port in ports
    ]
    rules = [rule for rule in rules if rule not in plain]
    return [*lines[:place], *rules, *lines[place:]]


def _may_refuse(words: Sequence[str]) -> bool:
    """Tell whether a rule may end a packet otherwise than by letting it in, or send it to where that may be."""
    leads = not _LEADS.isdisjoint(words)
    return leads and not (words[-2] in _JUMPS and words[-1] in ("ACCEPT", "LOG"))
