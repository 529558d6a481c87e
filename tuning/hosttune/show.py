"""Tables for the terminal, Markdown for pages, JSON for programs.

Owns: how findings look. Never: decides.
"""
from __future__ import annotations

import textwrap
from typing import Any, Dict, List, Sequence

from .changes import command
from .judge import ABSENT, BY_HAND, CHANGE, LOOK, OK, Finding, Setting

MARKS = {OK: " ", CHANGE: "!", BY_HAND: "!", LOOK: "?", ABSENT: "-"}
LEGEND = "!  should be changed    ?  look: it depends    -  not on this host"
COLUMN_GAP = "  "
# Below, the columns of the table would be too narrow to read.
TABLE_COLUMNS_MIN = 120


def table(findings: Sequence[Finding], width: int, has_measured: bool) -> str:
    """Rows by group; each column wraps, so that a row may take several lines."""
    heads = ["", "setting", "is", "should be", "why", "matters"]
    if has_measured:
        heads.append("measured")
    rows = [
        [MARKS[f.verdict], f.name, f.shown, f.setting.rule.words, f.setting.why,
         f.setting.matters] + ([f.measured] if has_measured else [])
        for f in findings
    ]
    widths = _widths(heads, rows, width)
    lines = _row(heads, widths) + ["  ".join("-" * w for w in widths)]
    group = ""
    for finding, row in zip(findings, rows):
        if finding.setting.group != group:
            group = finding.setting.group
            lines.append(f"[{group}]")
        lines.extend(_row(row, widths))
    return "\n".join(lines)


def findings_text(findings: Sequence[Finding], width: int, has_measured: bool) -> str:
    """The table, or on a narrow terminal a paragraph for each finding."""
    if width >= TABLE_COLUMNS_MIN:
        return table(findings, width, has_measured)
    return paragraphs(findings, width)


def paragraphs(findings: Sequence[Finding], width: int) -> str:
    """What is good takes a line; the rest says why."""
    lines: List[str] = []

    def say(text: str, indent: str, next_indent: str) -> None:
        lines.extend(textwrap.wrap(text, width, initial_indent=indent,
                                   subsequent_indent=next_indent))

    group = ""
    for f in findings:
        if f.setting.group != group:
            group = f.setting.group
            lines.append(f"[{group}]")
        say(f"{f.name}: {f.shown}", MARKS[f.verdict] + " ", " " * 6)
        if f.verdict not in (OK, ABSENT):
            say(f"should be: {f.setting.rule.words} (matters: {f.setting.matters})", " " * 4,
                " " * 6)
            say(f.setting.why, " " * 4, " " * 4)
        if f.measured:
            say(f"measured: {f.measured}", " " * 4, " " * 6)
    return "\n".join(lines)


def _widths(heads: List[str], rows: List[List[str]], width: int) -> List[int]:
    caps = [1, 34, 26, 24, 0, 7, 30][: len(heads)]
    longest = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    widths = [min(cap, most) or most for cap, most in zip(caps, longest)]
    others = sum(widths) - widths[4] + len(COLUMN_GAP) * (len(widths) - 1)
    widths[4] = max(28, min(longest[4], width - others))
    return widths


def _row(cells: Sequence[str], widths: Sequence[int]) -> List[str]:
    wrapped = [textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths)]
    height = max(len(lines) for lines in wrapped)
    rows = []
    for line in range(height):
        parts = [
            (lines[line] if line < len(lines) else "").ljust(width)
            for lines, width in zip(wrapped, widths)
        ]
        rows.append(COLUMN_GAP.join(parts).rstrip())
    return rows


def total(findings: Sequence[Finding]) -> str:
    count = {verdict: sum(f.verdict == verdict for f in findings) for verdict in MARKS}
    high = sum(f.verdict in (CHANGE, BY_HAND) and f.setting.matters == "high" for f in findings)
    wrong = count[CHANGE] + count[BY_HAND]
    return (
        f"{len(findings)} values: {count[OK]} good, {wrong} to change ({count[CHANGE]} of them by "
        f"tuning/apply, {high} that matter much), {count[LOOK]} to look at, {count[ABSENT]} not "
        "here"
    )


def by_hand(findings: Sequence[Finding]) -> str:
    """What apply leaves to the operator, one line each."""
    lines = [f"  {f.name}: {f.by_hand}" for f in findings
             if f.by_hand and f.verdict in (BY_HAND, LOOK)]
    return "By hand:\n" + "\n".join(lines) if lines else ""


def as_json(findings: Sequence[Finding], measured: Dict[str, Any]) -> Dict[str, Any]:
    rows = [
        {
            "setting": f.setting.name,
            "subject": f.reading.subject or None,
            "group": f.setting.group,
            "verdict": f.verdict,
            "is": f.reading.value if f.verdict != ABSENT else None,
            "shown": f.shown,
            "should_be": f.setting.rule.words,
            "why": f.setting.why,
            "source": f.setting.source,
            "matters": f.setting.matters,
            "commands": [command(path, value) for path, value in f.writes],
            "by_hand": f.by_hand or None,
            "measured": f.measured or None,
        }
        for f in findings
    ]
    return {"settings": rows, "summary": total(findings), "measured": measured}


def listed(settings: Sequence[Setting]) -> str:
    """The table of settings as Markdown, without a look at the host."""
    lines = [
        "| setting | should be | why | matters | changed by | source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for setting in settings:
        # A reader may bring its own value to set; those of the table have words for it.
        changed = "apply" if setting.set_to or not setting.by_hand else "hand"
        cells = [f"`{setting.name}`", setting.rule.words, setting.why, setting.matters, changed,
                 setting.source]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
