"""A file whose own program must find it good: nft, iptables-restore and their like, asked without loading anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kronos_installer.override import override
from kronos_installer.steps.file_step import FileStep

if TYPE_CHECKING:
    from kronos_installer.host import Host
    from kronos_installer.steps.step import Record


@dataclass(frozen=True, kw_only=True)
class CheckedFileStep(FileStep):
    """`check` is the command that ends with 0 when the new file is good; it changes nothing."""

    kind = "checked-file"
    check: tuple[str, ...]

    @override
    def describe(self) -> str:
        return f"{super().describe()}, and see that {self.check[0]} understands it"

    @override
    def commands(self) -> tuple[tuple[str, ...], ...]:
        return (self.check,)

    @override
    def apply(self, host: Host, original: Record) -> None:
        super().apply(host, original)
        host.run(self.check)

    @override
    def to_json(self) -> Record:
        return super().to_json() | {"check": list(self.check)}

    @classmethod
    @override
    def from_json(cls, record: Record) -> Self:
        return cls(**cls.fields_of(record), check=tuple(record["check"]))
