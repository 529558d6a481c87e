"""The command lines of check, apply and undo.

Owns: arguments, what is printed, exit codes. Never: writes below /proc or /sys itself.
"""
from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import Callable, List, Optional

from . import changes, measure, show
from .host import Host, parse_cpus
from .judge import ABSENT, BY_HAND, CHANGE, OK, check as judge_all
from .settings import SETTINGS

PIPE_COLUMNS = 160
GOOD, FAILED, HIGH_IS_WRONG = 0, 1, 3


def _cpu_list(text: str) -> List[int]:
    try:
        return parse_cpus(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of processors: give 0-3,6") from None


def _host_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--log-dirs", metavar="DIR,...", default=".",
                        help="the broker's log.dirs (default: the current directory)")
    parser.add_argument("--cores", metavar="LIST", type=_cpu_list,
                        help="the broker's shard.cores, as 0-3,6: settings of processors and "
                        "interrupts are judged for these")
    parser.add_argument("--pid", type=int, metavar="PID",
                        help="the broker, whose limits are read (default: the only process named "
                        "millstream, else this shell)")
    parser.add_argument("--root", metavar="DIR", default="/",
                        help="a folder in place of / for /proc, /sys, /etc and /var (for tests)")


def _host(options: argparse.Namespace) -> Host:
    log_dirs = [name for name in options.log_dirs.split(",") if name]
    for directory in log_dirs:
        if options.root == "/" and not os.path.isdir(directory):
            raise changes.Problem(
                f"there is no folder {directory}: give --log-dirs with the broker's log.dirs"
            )
    if not os.path.isdir(options.root):
        raise changes.Problem(
            f"there is no folder {options.root}: give --root DIR, or leave it out")
    if options.pid is not None and options.root == "/" \
            and not os.path.isdir(f"/proc/{options.pid}"):
        raise changes.Problem(f"there is no process {options.pid}: give --pid of the broker")
    return Host(options.root, log_dirs or ["."], options.cores, options.pid)


def _run(action: Callable[[], int]) -> int:
    try:
        return action()
    except changes.Problem as problem:
        print(f"{os.path.basename(sys.argv[0])}: {problem}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        return 130


# ---- check


def check(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="check", description="Shows what this host has set for a Millstream broker, what "
        "should be, and why. Changes nothing.",
        epilog="Exit code: 0; 3 where a setting that matters much is wrong; 1 for an error.",
    )
    _host_arguments(parser)
    parser.add_argument("--wrong", action="store_true", help="only what is not good")
    parser.add_argument("--json", action="store_true", help="JSON in place of the table")
    parser.add_argument("--list", action="store_true",
                        help="the table of all settings as Markdown; reads nothing")
    parser.add_argument("--measure", action="store_true",
                        help="also measures flushes, timers and the clock: half a minute for "
                        "each log directory")
    parser.add_argument("--loadgen", metavar="PATH",
                        help="the loadgen to measure with (default: the one on PATH)")
    options = parser.parse_args(arguments)
    return _run(lambda: _check(options))


def _check(options: argparse.Namespace) -> int:
    if options.list:
        print(show.listed(SETTINGS))
        return GOOD
    host = _host(options)
    findings = judge_all(host, SETTINGS)
    measured = {}
    if options.measure:
        if not host.is_real:
            raise changes.Problem("--measure measures this machine: leave out --root")
        loadgen = measure.find_loadgen(options.loadgen)
        if options.loadgen and not os.access(options.loadgen, os.X_OK):
            raise changes.Problem(f"there is no program {options.loadgen}: give --loadgen PATH")
        print(f"measuring, by {loadgen or 'python (give --loadgen PATH for better figures)'}",
              file=sys.stderr)
        measured = measure.measure(host.log_dirs, loadgen)
        measure.attach(findings, measured)
    if options.json:
        print(json.dumps(show.as_json(findings, measured), indent=2, ensure_ascii=False))
    else:
        shown = [f for f in findings if f.verdict not in (OK, ABSENT)] if options.wrong \
            else findings
        width = shutil.get_terminal_size((PIPE_COLUMNS, 50)).columns
        print(show.findings_text(shown, width, options.measure))
        print(show.LEGEND)
        print("\n" + "\n\n".join(filter(None, [show.by_hand(shown), show.total(findings)])))
        if any(f.verdict == CHANGE for f in findings):
            print("tuning/apply prints the commands for what it can change; it changes nothing "
                  "without --yes")
    is_wrong = [f.verdict in (CHANGE, BY_HAND) and f.setting.matters == "high" for f in findings]
    return HIGH_IS_WRONG if any(is_wrong) else GOOD


# ---- apply


def apply(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="apply", description="Changes what `check` found wrong, until the next reboot, and "
        "keeps what was there before for `undo`. Without --yes it only prints the commands.",
    )
    parser.add_argument("names", metavar="SETTING", nargs="*",
                        help="what to change, by the names of `check`")
    parser.add_argument("--all", action="store_true", help="all that can be changed")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="only prints (the default)")
    mode.add_argument("--yes", action="store_true", help="does it")
    parser.add_argument("--persist", action="store_true",
                        help=f"also writes the sysctls to {changes.SYSCTL_FILE}, so that they last")
    parser.add_argument("--state", metavar="FILE",
                        help=f"where to keep what was there before (default: {changes.STATE})")
    _host_arguments(parser)
    options = parser.parse_args(arguments)
    return _run(lambda: _apply(options))


def _apply(options: argparse.Namespace) -> int:
    host = _host(options)
    if options.names and options.all:
        raise changes.Problem("--all leaves nothing to name: give names, or --all")
    if options.yes and not (options.names or options.all):
        raise changes.Problem(
            "say what to change: `apply --yes SETTING...`, or `apply --yes --all`")
    writes = changes.wanted(judge_all(host, SETTINGS), options.names)
    state = changes.State.load(options.state or host.under(changes.STATE))
    if not options.yes:
        return _print_commands(state, writes, options.persist)
    done = changes.apply(host, state, writes)
    for one, error in done:
        print(f"{one.path}: " + (f"NOT CHANGED: {error}" if error else f"is {one.value} now"))
    worked = [one for one, error in done if not error]
    written = ""
    if options.persist:
        text = changes.persistent_text(state, [])
        try:
            written = changes.persist(host, state, text)
        except OSError as error:
            raise changes.Problem(
                f"cannot write {changes.SYSCTL_FILE}: {changes.reason(error)}") from error
    if not writes:
        print("there is nothing to change")
    if written:
        print(f"{written}: written; these sysctls last over a reboot")
    passing = [one for one in worked
               if not (written and one.path.startswith(changes.SYS))]
    if passing:
        print(f"until the next reboot: {len(passing)} of {len(worked)} changes"
              + ("" if options.persist else " (--persist keeps the sysctls)"))
    if not state.is_empty():
        print(f"what was there before is in {state.path}; tuning/undo --yes puts it back")
    return GOOD if len(worked) == len(done) else FAILED


def _print_commands(state: changes.State, writes: List[changes.Write], persist: bool) -> int:
    for one in writes:
        print(f"{changes.command(one.path, one.value)}  # {one.setting}")
    text = changes.persistent_text(state, writes) if persist else ""
    if text:
        print(f"cat > {changes.SYSCTL_FILE} <<'EOF'\n{text}EOF")
    if writes or text:
        print("# nothing is changed yet: add --yes, and SETTING... or --all")
    else:
        print("# there is nothing to change")
    return GOOD


# ---- undo


def undo(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="undo", description="Puts back what was there before `apply`. Without --yes it only "
        "prints the commands.",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--dry-run", action="store_true", help="only prints (the default)")
    mode.add_argument("--yes", action="store_true", help="does it")
    parser.add_argument("--force", action="store_true",
                        help="also puts back what was changed otherwise since apply")
    parser.add_argument("--state", metavar="FILE",
                        help=f"what apply has kept (default: {changes.STATE})")
    parser.add_argument("--root", metavar="DIR", default="/",
                        help="a folder in place of / (for tests)")
    options = parser.parse_args(arguments)
    return _run(lambda: _undo(options))


def _undo(options: argparse.Namespace) -> int:
    host = Host(options.root)
    path = options.state or host.under(changes.STATE)
    state = changes.State.load(path)
    if state.is_empty():
        print(f"there is nothing to undo: {path} is not there")
        return GOOD
    rebooted = bool(state.boot_id) and state.boot_id != changes.boot_id(host)
    lines = changes.undo(host, state, options.yes, options.force)
    for line in lines:
        print(line.words if line.is_command else f"{line.path}: {line.words}")
    if rebooted:
        print("The machine was started anew since apply: what is not in sysctl.d had gone then.")
    if not options.yes:
        print("# nothing is changed yet: add --yes")
    elif all(line.is_done for line in lines):
        print("All is as it was before. No reboot is needed: apply changes nothing that only a "
              "boot reads.")
    else:
        print("What is left stays in the state file. A reboot puts back all that is not in "
              "sysctl.d.")
    return GOOD if all(line.is_done for line in lines) else FAILED
