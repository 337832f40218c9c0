"""nftables: the bridge is named beside the interface, and the toolstack's port is opened in the chains that may refuse.

A rule of ours in a table of its own would not do: a packet must pass every base chain (nft(8)). `insert rule` at the end
of the file puts it first in a chain that the file has made.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kronos_installer.detect.owners import names_interface
from kronos_installer.firewall.edit import COMMENT, Edited, changed, matches, not_plain, not_understood
from kronos_installer.firewall.nftables_text import Chain, NotUnderstoodError, base_chains
from kronos_installer.network.stack import BRIDGE
from kronos_installer.problem import Level, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KIND = "nftables"
_KEYS = {"iifname": "iifname", "oifname": "oifname", "iif": "iifname", "oif": "oifname"}
_MATCH = r"\b(?P<key>iifname|oifname|iif|oif)(?P<op>\s+(?:==|!=|eq|ne))?"
_NAME = r'(?P<quote>"?)(?P<name>[\w.\-]+\*?)(?P=quote)'
# A dot after it makes it the first part of a concatenation.
_PLAIN = re.compile(rf"{_MATCH}\s+{_NAME}(?![\w.\-*])(?!\s*\.\s)")
_SET = re.compile(rf"(?:{_MATCH}\s*|(?P<elements>\belements\s*=\s*))\{{(?P<inside>[^{{}}]*)\}}")
_DEFINE = re.compile(rf"^(?P<start>\s*define\s+(?P<variable>\w+)\s*=\s*){_NAME}\s*$")
# What is hooked to the NIC itself sees its packets before the bridge does.
_AT_THE_PORT = re.compile(r"\bdevices?\b")


def edit_nftables(files: Mapping[str, bytes], nic: str, ports: Sequence[int]) -> Edited:
    """Return the files as they must be: main file first in `files`, then those that it includes."""
    texts = {path: content.decode("latin-1") for path, content in files.items()}
    result = Edited()
    everything = "\n".join(_code(line) for text in texts.values() for line in text.splitlines())
    new = {path: _named_beside(path, text, nic, everything, result) for path, text in texts.items()}
    main = next(iter(texts), "")
    opening = (
        f'insert rule {chain.family} {chain.table} {chain.name} tcp dport {port} accept comment "{COMMENT}"'
        for port in ports
        for chain in _closed(texts, result)
    )
    rules = [rule for rule in opening if rule not in new[main]]
    if rules:
        gap = "" if new[main].endswith("\n") else "\n"
        new[main] += f"{gap}\n# xapi-host-setup: the toolstack's port\n" + "".join(
            f"{rule}\n" for rule in rules
        )
    result.files = changed(files, new)
    return result


def _closed(texts: Mapping[str, str], result: Edited) -> list[Chain]:
    """Return the chains that packets to the host pass, and may not get through; those of one name once."""
    found: dict[tuple[str, str, str], Chain] = {}
    for path, text in texts.items():
        try:
            chains = base_chains(text)
        except NotUnderstoodError as error:
            result.problems.append(
                not_understood(_KIND, "these rules are not understood", f"{path}:{error.args[0]}")
            )
            continue
        for chain in chains:
            if chain.hook == "prerouting" and chain.type == "filter" and chain.policy == "drop":
                # Much that is refused there early is no service's (rpfilter, floods): but this lets in what it names alone.
                result.problems.append(
                    not_understood(
                        _KIND, f"the chain {chain.name} drops packets before routing", f"{path}:{chain.line}"
                    )
                )
            if chain.hook == "input" and chain.type == "filter" and chain.family in ("ip", "ip6", "inet") and chain.may_refuse:  # fmt: skip
                found[chain.family, chain.table, chain.name] = chain
    return list(found.values())


def _named_beside(path: str, text: str, nic: str, everything: str, result: Edited) -> str:
    lines = text.splitlines(keepends=True)
    for place, line in enumerate(lines):
        code = _code(line)
        if names_interface(code, BRIDGE) or not _mentions(code, nic):
            continue
        new = _PLAIN.sub(lambda m: _plain(m, nic), _SET.sub(lambda m: _set(m, nic), code))
        define = _DEFINE.match(code.rstrip())
        if define and matches(define["name"], nic) and _only_names(define["variable"], everything):
            new = f'{define["start"]}{{ "{define["name"]}", "{BRIDGE}" }}'
            lines[place] = new + line[len(code.rstrip()) :]
        elif new != code:
            lines[place] = new + line[len(code) :]
        elif _AT_THE_PORT.search(code):
            result.problems.append(Problem(
                Level.WARNING, "names-interface", f"names {nic}; traffic of the host will be {BRIDGE}'s", "",
                f"{path}:{place + 1}", f"see whether it should say {BRIDGE} after the reboot"))  # fmt: skip
        else:
            result.problems.append(not_plain(_KIND, nic, f"{path}:{place + 1}"))
    return "".join(lines)


def _code(line: str) -> str:
    """Return the line without its comment and its end."""
    found = re.match(r'(?:"[^"]*"|[^"#\n])*', line)
    return found[0] if found else ""


def _mentions(code: str, nic: str) -> bool:
    words = re.findall(r"[\w.\-]+\*?", re.sub(r'\bcomment\s+"[^"]*"', "", code))
    return any(matches(word, nic) for word in words if word != "*")


def _plain(match: re.Match[str], nic: str) -> str:
    if not matches(match["name"], nic):
        return match[0]
    return f'{_KEYS[match["key"]]}{match["op"] or ""} {{ "{match["name"]}", "{BRIDGE}" }}'


def _set(match: re.Match[str], nic: str) -> str:
    inside = match["inside"]
    elements = [element.strip().strip('"') for element in inside.split(",")]
    plain = all(re.fullmatch(r"[\w.\-]+\*?|\$\w+", element) for element in elements if element)
    if not plain or not any(matches(element, nic) for element in elements):
        return match[0]
    start = match["elements"] or f"{_KEYS[match['key']]}{match['op'] or ''} "
    return f'{start}{{{inside.rstrip().rstrip(",")}, "{BRIDGE}" }}'


def _only_names(variable: str, everything: str) -> bool:
    """Tell whether a variable stands only where a set of names may stand in place of one."""
    uses = len(re.findall(rf"\${variable}\b", everything))
    name = rf"\b[io]ifname(?:\s+(?:==|!=|eq|ne))?\s+(?:\${variable}\b(?!\s*\.\s)|\{{[^{{}}:]*\${variable}\b[^{{}}:]*\}})"
    return uses == len(re.findall(name, everything))
