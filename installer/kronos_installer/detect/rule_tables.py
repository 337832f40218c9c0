"""The tables of packet rules that the running kernel has, whoever made them: nft(8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kronos_installer.detect.readings import ask, json_list, json_object, text_of, unknown
from xapi_shim.base.errors import KronosError

if TYPE_CHECKING:
    from kronos_installer.host import Runner
    from kronos_installer.problem import Problem

NFT = ("nft", "--json", "list", "tables")


def read_rule_tables(query: Runner) -> tuple[tuple[str, ...] | None, tuple[Problem, ...]]:
    """Return family and name of each table; None where nft is not installed, or fails, which is a Problem too."""
    try:
        told = ask(query, NFT)
        return None if told is None else parse_rule_tables(told), ()
    except KronosError as error:
        problem = unknown("rules-unknown", "the packet rules that are in force are not known", error, "see why `nft list "
                          "tables` fails")  # fmt: skip
        return None, (problem,)


def parse_rule_tables(text: str) -> tuple[str, ...]:
    """Parse libnftables-json(5). Raises UnreadableError."""
    if not text.strip():
        return ()
    objects = json_list(json_object(text, "nft").get("nftables"), "nft")
    tables = (entry["table"] for entry in objects if isinstance(entry.get("table"), dict))
    return tuple(f"{text_of(table.get('family'))} {text_of(table.get('name'))}" for table in tables)
