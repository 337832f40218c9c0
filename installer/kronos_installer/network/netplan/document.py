"""One YAML file as nodes that know their place in it. Pure.

Nodes, not values: an unquoted Ethernet address would be a number in base 60 (YAML 1.1), and what is
carried over is to be written as it was.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import yaml

from kronos_installer.problem import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Plain: TypeAlias = "str | list[Plain] | dict[str, Plain]"


_DEEPEST = 20


@dataclass(frozen=True)
class Document:
    """A file: its text, and the root of its tree, None for an empty one."""

    path: str
    text: str
    root: yaml.MappingNode | None

    def at(self, node: yaml.Node) -> str:
        """Return file and line of a node."""
        return f"{self.path}:{node.start_mark.line + 1}"


def parse_document(path: str, content: bytes) -> Document:
    """Parse a file. Raises ProblemError, naming file and line, for what netplan could not read or we cannot edit."""
    try:
        text = content.decode()
        _check_events(path, text)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is not None:
            _check(path, root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _unparsable(path, mark.line + 1 if mark else 1, error.problem or "not YAML") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _unparsable(path, 1, "not YAML in UTF-8") from error
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise _unparsable(path, root.start_mark.line + 1, "not a mapping")
    return Document(path, text, root)


def _check_events(path: str, text: str) -> None:
    """Refuse aliases, which netplan does not know, and nesting that no configuration has, before it costs anything."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _DEEPEST:
            what = "an alias" if isinstance(event, yaml.AliasEvent) else "nested too deeply"
            raise _unparsable(path, event.start_mark.line + 1 if event.start_mark else 1, what)


def _unparsable(path: str, line: int, what: str) -> Exception:
    return refusal("netplan-unparsable", f"a netplan file cannot be read: {what}", at=f"{path}:{line}",
                   remedy="correct it; `netplan generate` says more")  # fmt: skip


def _check(path: str, node: yaml.Node) -> None:
    """Refuse keys that are not plain words, and those that are there twice: one of them would be lost."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(path, item)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in seen or key.value == "<<":
            raise _unparsable(path, key.start_mark.line + 1, "a key that is there twice, or is no plain word")
        seen.add(key.value)
        _check(path, value)


def entries(node: yaml.Node | None) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield the entries of a mapping; nothing for what is none."""
    if isinstance(node, yaml.MappingNode):
        yield from node.value


def get(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return a mapping's value, None where there is none."""
    return next((value for name, value in entries(node) if name.value == key), None)


def scalar(node: yaml.Node | None) -> str:
    """Return a scalar's text, "" for anything else."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def words(node: yaml.Node | None) -> tuple[str, ...]:
    """Return the scalars of a sequence, or a lone scalar."""
    if isinstance(node, yaml.SequenceNode):
        return tuple(scalar(item) for item in node.value)
    return (scalar(node),) if scalar(node) else ()


def is_true(node: yaml.Node | None) -> bool:
    """Read a boolean as netplan does."""
    return scalar(node).lower() in ("true", "on", "yes", "y")


def plain(node: yaml.Node) -> Plain:
    """Return a tree's content without its places, for comparisons."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [plain(item) for item in node.value]
    return str(node.value)


def scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Yield all values of a tree, keys not."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield from scalars(item)
    for _, value in entries(node):
        yield from scalars(value)


def merged(old: yaml.Node, new: yaml.Node) -> yaml.Node:
    """Return what netplan makes of a key that two files set: mappings are merged, sequences joined, else the later."""
    if isinstance(old, yaml.MappingNode) and isinstance(new, yaml.MappingNode):
        later = {key.value: value for key, value in new.value}
        names = {key.value for key, _ in old.value}
        both = [
            (key, merged(value, later[key.value]) if key.value in later else value)
            for key, value in old.value
        ]
        both += [(key, value) for key, value in new.value if key.value not in names]
        return yaml.MappingNode(new.tag, both, new.start_mark, new.end_mark, flow_style=False)
    if isinstance(old, yaml.SequenceNode) and isinstance(new, yaml.SequenceNode):
        return yaml.SequenceNode(
            new.tag, [*old.value, *new.value], new.start_mark, new.end_mark, flow_style=False
        )
    return new


def make_mapping(values: Mapping[str, yaml.Node]) -> yaml.MappingNode:
    """Return a mapping in block style."""
    return yaml.MappingNode(
        "tag:yaml.org,2002:map", [(make_scalar(k), v) for k, v in values.items()], flow_style=False
    )


def make_scalar(text: str, *, quoted: bool = False) -> yaml.ScalarNode:
    """Return a scalar: plain where that reads back as the same text."""
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style='"' if quoted else None)


def make_node(value: object) -> yaml.Node:
    """Return the node of a value."""
    node: yaml.Node = yaml.SafeDumper(io.StringIO()).represent_data(value)
    return node


def render(node: yaml.Node) -> str:
    """Return a tree as text."""
    text: str = yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=100)
    return text
