"""How long messages took: count, mean and standard deviation, kept without keeping the samples (Welford)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt


@dataclass
class Timing:
    """The figures of one message, in seconds."""

    count: int = 0
    mean: float = 0.0
    _squares: float = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        delta = seconds - self.mean
        self.mean += delta / self.count
        self._squares += delta * (seconds - self.mean)

    @property
    def deviation(self) -> float:
        """The sample's standard deviation, 0 for a single one."""
        return sqrt(self._squares / (self.count - 1)) if self.count > 1 else 0.0


@dataclass
class Timings:
    """The figures by message; as many as there are messages."""

    by_name: dict[str, Timing] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        timing = self.by_name.get(name)
        if timing is None:
            timing = self.by_name[name] = Timing()
        timing.add(seconds)

    def told(self, *, counts: bool) -> dict[str, str]:
        """Return them in words, by message."""
        return {
            name: f"{t.mean:.6f} [sd = {t.deviation:.6f}" + (f"; n = {t.count}]" if counts else "]")
            for name, t in sorted(self.by_name.items())
        }
