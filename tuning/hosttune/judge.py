"""From the table of settings and a host to findings.

Owns: the verdicts. Never: writes, or reads but through a setting's reader.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, List, Optional, Sequence, Tuple

from .host import Host
from .rules import AtLeast, AtMost, Between, Look, OneOf  # noqa: F401 (for the table)

OK, CHANGE, BY_HAND, LOOK, ABSENT = "ok", "change", "by hand", "look", "absent"
MATTERS = ("high", "medium", "low")


@dataclass
class Reading:
    """One value of a setting: of one disk, some processors, or the host."""

    value: str
    subject: str = ""
    shown: str = ""  # where it is more than the value
    paths: Tuple[str, ...] = ()  # where a change is written
    set_to: Optional[str] = None  # where it is another than the setting's
    verdict: str = ""  # where no rule can tell
    by_hand: str = ""  # where it is another than the setting's
    measure_dir: str = ""  # the log directory that a measurement belongs to


@dataclass(frozen=True)
class Setting:
    name: str
    group: str
    read: Callable[[Host], List[Reading]]
    rule: object
    why: str
    source: str
    matters: str
    set_to: str = ""  # what apply writes; empty: it is changed by hand
    by_hand: str = ""
    measured_by: str = ""  # flush, timer or clock


@dataclass
class Finding:
    setting: Setting
    reading: Reading
    verdict: str
    measured: str = ""
    set_to: str = ""
    by_hand: str = ""
    writes: List[Tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        subject = self.reading.subject
        return f"{self.setting.name} ({subject})" if subject else self.setting.name

    @property
    def shown(self) -> str:
        return self.reading.shown or self.reading.value


def judge(setting: Setting, reading: Reading) -> Finding:
    set_to = setting.set_to if reading.set_to is None else reading.set_to
    by_hand = reading.by_hand or setting.by_hand
    verdict = reading.verdict
    if not verdict:
        if setting.rule.good(reading.value):
            verdict = OK
        elif isinstance(setting.rule, Look):
            verdict = LOOK
        else:
            verdict = CHANGE if set_to and reading.paths else BY_HAND
    if verdict == CHANGE:
        writes = [(path, set_to) for path in reading.paths]
        return Finding(setting, reading, verdict, set_to=set_to, writes=writes)
    return Finding(setting, reading, verdict, by_hand="" if verdict == OK else by_hand)


def check(host: Host, settings: Sequence[Setting]) -> List[Finding]:
    findings = []
    for setting in settings:
        readings = setting.read(host) or [Reading("-", shown="not here", verdict=ABSENT)]
        findings.extend(judge(setting, reading) for reading in readings)
    return findings
