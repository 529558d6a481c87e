"""What is good: rules over one value, as text and as a decision.

Owns: the comparison of values. Pure. Never: reads the host.
"""
from __future__ import annotations

import math
from typing import NamedTuple, Tuple


def number(value: str) -> float:
    """A value of the kernel as a number; `max` and `unlimited` are without bound."""
    if value in ("max", "unlimited", "infinity"):
        return math.inf
    try:
        return float(value)
    except ValueError:
        return math.nan


def show_bytes(count: float) -> str:
    if math.isinf(count):
        return "unlimited"
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count:.0f} B"


class OneOf(NamedTuple):
    """One of some words; the first is the best."""

    values: Tuple[str, ...]
    comment: str = ""

    def good(self, value: str) -> bool:
        return value in self.values

    @property
    def words(self) -> str:
        return self.comment or " or ".join(self.values)


class AtLeast(NamedTuple):
    least: float
    comment: str = ""

    def good(self, value: str) -> bool:
        return number(value) >= self.least

    @property
    def words(self) -> str:
        return self.comment or f"{self.least:.0f} or more"


class AtMost(NamedTuple):
    most: float
    comment: str = ""

    def good(self, value: str) -> bool:
        return number(value) <= self.most

    @property
    def words(self) -> str:
        return self.comment or f"{self.most:.0f} or less"


class Between(NamedTuple):
    least: float
    most: float

    def good(self, value: str) -> bool:
        return self.least <= number(value) <= self.most

    @property
    def words(self) -> str:
        return f"{self.least:.0f} to {self.most:.0f}"


class Look(NamedTuple):
    """Some values are good; of the others only the operator can tell."""

    values: Tuple[str, ...]
    comment: str

    def good(self, value: str) -> bool:
        return value in self.values

    @property
    def words(self) -> str:
        return self.comment
