"""Taking keys out of a definition in a file; all other text stays, comments too. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kronos_installer.network.netplan.document import entries
from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from kronos_installer.network.netplan.definitions import Place


def without_keys(place: Place, keys: Collection[str]) -> str:
    """Return the file's text without `keys` in the definition at `place`.

    Raises ProblemError where the text is laid out so that lines cannot be taken away.
    """
    body, text = place.body, place.document.text
    if not isinstance(body, yaml.MappingNode):
        return text
    gone = [(name, value) for name, value in body.value if name.value in keys]
    kept = [(name, value) for name, value in body.value if name.value not in keys]
    if not gone:
        return text
    if body.flow_style:
        left = yaml.MappingNode(body.tag, kept, flow_style=True)
        flow = yaml.serialize(left, Dumper=yaml.SafeDumper, allow_unicode=True, width=float("inf"))
        return text[: body.start_mark.index] + str(flow).strip() + text[body.end_mark.index :]
    lines = text.splitlines(keepends=True) if _plain_line_ends(text) else []
    if not lines or body.start_mark.line == place.name.start_mark.line:
        raise refusal("netplan-edit", f"cannot take {gone[0][0].value!r} out of this definition safely",
                      at=place.document.at(gone[0][0]), remedy="write each key on a line of its own")  # fmt: skip
    for name, value in reversed(gone):
        first, last = name.start_mark.line, max(name.end_mark.line, _last_line(value))
        del lines[first : last + 1]
    if not kept:
        number, column = place.name.end_mark.line, place.name.end_mark.column
        colon = lines[number].index(":", column) + 1
        lines[number] = f"{lines[number][:colon]} {{}}{lines[number][colon:]}"
    return "".join(lines)


def _plain_line_ends(text: str) -> bool:
    """Tell whether YAML and Python see the same lines: Python has more kinds of line ends."""
    return not any(mark in text for mark in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def _last_line(node: yaml.Node) -> int:
    """Return the number of the line where a value ends: a block's end mark is where the next thing begins."""
    children: list[yaml.Node] = list(node.value) if isinstance(node, yaml.SequenceNode) else []
    children += [part for entry in entries(node) for part in entry]
    if children and isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max(_last_line(child) for child in children)
    ends_before = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return int(node.end_mark.line) - (1 if ends_before else 0)
