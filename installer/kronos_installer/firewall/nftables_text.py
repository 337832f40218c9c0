"""nftables' files as far as the set-up must know them: which chains decide over packets to the host (nft(8))."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r'#[^\n]*|\\\n|"[^"\n]*"|[{};\n]|[^\s{};"#\\]+')
_VERBS = frozenset({"add", "create"})
_FAMILIES = frozenset({"ip", "ip6", "inet", "arp", "bridge", "netdev"})
# Words of a chain's rules that may end a packet, or send it to where it may end.
_DECIDING = frozenset({"drop", "reject", "jump", "goto", "queue", "vmap"})


class NotUnderstoodError(ValueError):
    """The text's blocks do not nest, or a chain's name is not plain. The first argument is the line."""


@dataclass(frozen=True)
class Chain:
    """A base chain. `may_refuse` is whether some packet may not pass it, `policy` what becomes of one without a rule."""

    family: str
    table: str
    name: str
    type: str
    hook: str
    may_refuse: bool
    line: int
    policy: str = ""


@dataclass
class _Block:
    header: list[str]
    line: int
    words: list[str] = field(default_factory=list)


def base_chains(text: str) -> list[Chain]:
    """Return the chains that hooks call. Raises NotUnderstoodError."""
    found: list[Chain] = []
    open_blocks: list[_Block] = []
    statement: list[str] = []
    hooks, line = 0, 1
    for match in _TOKEN.finditer(text):
        part = match[0]
        if part == "{":
            open_blocks.append(_Block(statement, line))
            statement = []
        elif part == "}":
            if not open_blocks:
                raise NotUnderstoodError(line)
            block = open_blocks.pop()
            if (chain := _chain(block, open_blocks)) is not None:
                found.append(chain)
            statement = []
        elif part in ("\n", ";"):
            statement = []
        elif not part.startswith(("#", "\\")):
            hooks += bool(statement) and statement[-1] == "hook"
            statement.append(part)
            for block in open_blocks:
                block.words.append(part)
        line += part.count("\n")
    if open_blocks or hooks != len(found):
        raise NotUnderstoodError(open_blocks[0].line if open_blocks else 1)
    return found


def _chain(block: _Block, outer: list[_Block]) -> Chain | None:
    """Read a closed block: `chain NAME {` in a table's block, or `add chain FAMILY TABLE NAME {` by itself."""
    if "hook" not in block.words:
        return None
    words = _without_verb(block.header)
    if words[:1] != ["chain"]:
        return None
    table = _without_verb(outer[0].header) if len(outer) == 1 else ["table", *words[1:-1]]
    family, name = (table[1], table[2]) if len(table) == 3 else ("ip", table[-1])
    if table[0] != "table" or len(table) not in (2, 3) or family not in _FAMILIES:
        raise NotUnderstoodError(block.line)
    if not all(re.fullmatch(r"[\w/.\\-]+", word) for word in (name, words[-1])):
        raise NotUnderstoodError(block.line)
    # A chain made by a command gets its rules by commands elsewhere.
    by_command = not outer
    policy = _after(block.words, "policy")
    may_refuse = by_command or policy not in ("", "accept") or not _DECIDING.isdisjoint(block.words)
    return Chain(family, name, words[-1], _after(block.words, "type"), _after(block.words, "hook"),
                 may_refuse, block.line, policy)  # fmt: skip


def _without_verb(words: list[str]) -> list[str]:
    return words[1:] if words and words[0] in _VERBS else words


def _after(words: list[str], key: str) -> str:
    place = words.index(key) + 1 if key in words else len(words)
    return words[place] if place < len(words) else ""
