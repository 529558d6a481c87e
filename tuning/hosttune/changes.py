"""Changes to the host that can be undone: what would be written, and what was there before.

Owns: the state file, and the file of sysctl.d with --persist. Never: writes what was not asked for,
or before the value that it replaces is safe in the state file.
"""
from __future__ import annotations

import json
import os
import shlex
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from .host import Host
from .judge import CHANGE, Finding
from .readers import chosen

STATE = "/var/lib/millstream-tuning/before.json"
SYSCTL_FILE = "/etc/sysctl.d/90-millstream.conf"
SYSCTL_HEADER = "# Written by Millstream's tuning/apply --persist; tuning/undo removes it.\n"
SYS = "/proc/sys/"


class Problem(Exception):
    """An error with what to type next."""


class Write(NamedTuple):
    setting: str
    path: str
    value: str


def wanted(findings: Sequence[Finding], names: Sequence[str]) -> List[Write]:
    """What apply would write; of all settings where no name is given."""
    known = {finding.setting.name for finding in findings}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Problem(
            f"there is no setting {', '.join(unknown)}: `tuning/check --list` has all names"
        )
    chosen_ones = [f for f in findings if f.verdict == CHANGE]
    if names:
        chosen_ones = [f for f in chosen_ones if f.setting.name in names]
    return [Write(f.setting.name, path, value) for f in chosen_ones for path, value in f.writes]


def command(path: str, value: str) -> str:
    """The shell command that writes a value."""
    if path.startswith(SYS):
        return f"sysctl -w {sysctl_name(path)}={shlex.quote(value)}"
    return f"echo {shlex.quote(value)} > {path}"


def sysctl_name(path: str) -> str:
    return path[len(SYS):].replace("/", ".")


def current(host: Host, path: str) -> Optional[str]:
    text = host.text(path)
    return None if text is None else " ".join(chosen(text).split())


def write(host: Host, path: str, value: str) -> None:
    """Writes, and reads back: the kernel takes some values and keeps another."""
    with open(host.under(path), "w", encoding="utf-8") as file:
        file.write(value + "\n")
    found = current(host, path)
    if found != value:
        raise OSError(f"the kernel keeps {found}")


# ---- the state file


class State:
    """What was there before the first change of each path."""

    def __init__(self, path: str):
        self.path = path
        self.changes: Dict[str, Dict[str, str]] = {}
        self.file_wrote: Optional[str] = None  # what apply has put into sysctl.d
        self.boot_id = ""

    @classmethod
    def load(cls, path: str) -> "State":
        state = cls(path)
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
            state.changes = dict(found["changes"])
            state.file_wrote, state.boot_id = found["sysctl_file"], found["boot_id"]
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(
                f"{path} cannot be read ({error}): it has what was there before; move it away, or "
                "give --state FILE"
            ) from error
        return state

    def is_empty(self) -> bool:
        return not self.changes and self.file_wrote is None

    def save(self) -> None:
        """Whole or not at all; an empty state leaves no file."""
        if self.is_empty():
            if os.path.exists(self.path):
                os.remove(self.path)
            return
        content = {
            "boot_id": self.boot_id,
            "changes": self.changes,
            "sysctl_file": self.file_wrote,
        }
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            with open(self.path + ".tmp", "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self.path + ".tmp", self.path)
        except OSError as error:
            raise Problem(
                f"cannot keep what was there before in {self.path} ({error}), and so changed "
                "nothing more: use sudo, or give --state FILE"
            ) from error


def boot_id(host: Host) -> str:
    return host.text("/proc/sys/kernel/random/boot_id") or ""


# ---- apply


def apply(host: Host, state: State, writes: Sequence[Write]) -> List[Tuple[Write, str]]:
    """Writes each; the error of each, empty where there is none."""
    done = []
    state.boot_id = boot_id(host)
    for one in writes:
        before = current(host, one.path)
        if before is None:
            done.append((one, "cannot be read"))
            continue
        known = state.changes.get(one.path)
        # Since apply wrote it, it was changed again, or a reboot has put it back: what the first
        # apply found is what undo should bring.
        first = known["before"] if known else before
        state.changes[one.path] = {
            "setting": one.setting, "before": first, "applied": one.value,
        }
        state.save()
        try:
            write(host, one.path, one.value)
            done.append((one, ""))
        except OSError as error:
            now = current(host, one.path)
            if now is not None and now != before:
                state.changes[one.path]["applied"] = now
            elif known:
                state.changes[one.path] = known
            else:
                del state.changes[one.path]
            state.save()
            done.append((one, reason(error)))
    return done


def reason(error: OSError) -> str:
    words = error.strerror or str(error)
    return words + (": use sudo" if error.errno in (1, 13) else "")


def persistent_text(state: State, writes: Sequence[Write]) -> str:
    """The file for sysctl.d: what is applied now, and what was before it by apply."""
    values = {path: change["applied"] for path, change in state.changes.items()}
    values.update({one.path: one.value for one in writes})
    lines = [f"{sysctl_name(path)} = {value}" for path, value in values.items()
             if path.startswith(SYS)]
    return SYSCTL_HEADER + "\n".join(sorted(lines)) + "\n" if lines else ""


def persist(host: Host, state: State, text: str) -> str:
    """Writes the file of sysctl.d; its path, or nothing where there is nothing to keep."""
    if not text:
        return ""
    path = host.under(SYSCTL_FILE)
    before = host.text(SYSCTL_FILE)
    is_ours = before is not None and before.startswith(SYSCTL_HEADER.strip())
    if before is not None and not is_ours:
        raise Problem(f"{path} is there and not of apply: move it away, or leave out --persist")
    state.file_wrote = text
    state.save()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


# ---- undo


class Undone(NamedTuple):
    path: str
    words: str
    is_done: bool
    is_command: bool = False  # what would be done


def undo(host: Host, state: State, really: bool, force: bool = False) -> List[Undone]:
    """Puts back, the latest change first; what is not as apply left it stays, unless forced."""
    lines = []
    for path, change in reversed(list(state.changes.items())):
        now, before, applied = current(host, path), change["before"], change["applied"]
        if now is None:
            lines.append(Undone(path, "is not there any more", True))
        elif now == before:
            lines.append(Undone(path, f"is {before} already", True))
        elif now != applied and not force:
            words = f"is {now} now, and apply had set {applied}: left alone; --force sets {before}"
            lines.append(Undone(path, words, False))
            continue
        elif not really:
            lines.append(Undone(path, command(path, before), True, True))
            continue
        else:
            try:
                write(host, path, before)
                lines.append(Undone(path, f"is {before} again", True))
            except OSError as error:
                lines.append(Undone(path, f"could not be put back: {reason(error)}", False))
                continue
        if really:
            del state.changes[path]
            state.save()
    if state.file_wrote is not None:
        lines.append(_undo_file(host, state, really, force))
    return lines


def _undo_file(host: Host, state: State, really: bool, force: bool) -> Undone:
    path, now = host.under(SYSCTL_FILE), host.text(SYSCTL_FILE)
    wrote = state.file_wrote or ""
    if now is not None and now != wrote.strip() and not force:
        return Undone(SYSCTL_FILE, "was changed since apply wrote it: left alone; --force removes "
                      "it", False)
    if not really:
        return Undone(SYSCTL_FILE, f"rm {SYSCTL_FILE}", True, True)
    try:
        if now is not None:
            os.remove(path)
    except OSError as error:
        return Undone(SYSCTL_FILE, f"could not be removed: {reason(error)}", False)
    state.file_wrote = None
    state.save()
    return Undone(SYSCTL_FILE, "is removed", True)
