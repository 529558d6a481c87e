"""What this host's settings do, where that can be shown without changing one for good.

Owns: short measurements, and the file that one of them writes and removes. Never: changes a
setting; the one request to the kernel (no deep idle states) ends with its descriptor.
"""
from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
import time
from typing import Any, Dict, Iterator, List, Optional, Sequence

from .judge import ABSENT, Finding

SELFTEST_MAX_S = 120
SLEEP_S, SLEEPS_S, FLUSHES_S, CLOCK_READS = 0.001, 1.0, 2.0, 200_000
DMA_LATENCY = "/dev/cpu_dma_latency"


def quantiles(values: Sequence[float]) -> Dict[str, Any]:
    ordered = sorted(values)
    if not ordered:
        return {"count": 0, "p50": None, "p99": None, "max": None}

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return {"count": len(ordered), "p50": at(0.5), "p99": at(0.99), "max": ordered[-1]}


def timer_late_us(seconds: float = SLEEPS_S) -> Dict[str, Any]:
    late, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        time.sleep(SLEEP_S)
        late.append(max(0.0, (time.monotonic() - began - SLEEP_S) * 1e6))
    return quantiles(late)


def flush_us(directory: str, seconds: float = FLUSHES_S) -> Dict[str, Any]:
    """4 KiB appends, each with fdatasync."""
    took: List[float] = []
    block = os.urandom(4096)
    with tempfile.TemporaryFile(dir=directory) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(took) < 50_000:
            began = time.monotonic()
            os.write(file.fileno(), block)
            os.fdatasync(file.fileno())
            took.append((time.monotonic() - began) * 1e6)
    return quantiles(took)


def clock_read_ns() -> float:
    """The interpreter's own cost is in it: hundreds of nanoseconds mean a slow clock source."""
    began = time.monotonic()
    for _ in range(CLOCK_READS):
        time.monotonic()
    return (time.monotonic() - began) / CLOCK_READS * 1e9


@contextlib.contextmanager
def no_deep_idle() -> Iterator[bool]:
    """Asks the kernel for no idle state with a latency, as long as the file is open
    (https://docs.kernel.org/power/pm_qos_interface.html); whether it could be asked."""
    try:
        descriptor = os.open(DMA_LATENCY, os.O_WRONLY)
    except OSError:
        yield False
        return
    try:
        os.write(descriptor, struct.pack("i", 0))
        yield True
    except OSError:
        yield False
    finally:
        os.close(descriptor)


def selftest(loadgen: str, directory: str) -> Dict[str, Any]:
    """`loadgen selftest` of that directory: its JSON, or an `error`."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "selftest.json")
        words = [loadgen, "selftest", "--dir", directory, "--json", path]
        try:
            ended = subprocess.run(
                words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                timeout=SELFTEST_MAX_S, check=False,
            )
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except subprocess.TimeoutExpired:
            return {"error": f"it took more than {SELFTEST_MAX_S} s"}
        except (OSError, ValueError) as error:
            return {"error": str(error)}
    if ended.returncode != 0 and not found.get("error"):
        found["error"] = (ended.stderr.strip().splitlines() or ["it failed"])[-1]
    return found


def find_loadgen(given: Optional[str]) -> Optional[str]:
    return given or shutil.which("loadgen")


def measure(log_dirs: Sequence[str], loadgen: Optional[str]) -> Dict[str, Any]:
    """All of it: by `loadgen selftest` where there is one, else by this interpreter."""
    measured: Dict[str, Any] = {"by": loadgen or "python", "dirs": {}}
    for directory in log_dirs:
        if loadgen:
            found = selftest(loadgen, directory)
            disk = found.get("disk") or {}
            measured["dirs"][directory] = dict(disk, error=found.get("error"))
            for key in ("timer_late_us", "clock_read_ns", "network"):
                measured.setdefault(key, found.get(key))
        else:
            measured["dirs"][directory] = _own_flushes(directory)
    if not measured.get("timer_late_us"):
        measured["timer_late_us"] = timer_late_us()
    if not measured.get("clock_read_ns"):
        measured["clock_read_ns"] = clock_read_ns()
    usual = timer_late_us()
    with no_deep_idle() as was_asked:
        awake = timer_late_us() if was_asked else None
    measured["idle_states"] = {"as_set_late_us": usual, "none_deep_late_us": awake}
    return measured


def _own_flushes(directory: str) -> Dict[str, Any]:
    try:
        return {"flush_4k_us": flush_us(directory), "error": None}
    except OSError as error:
        return {"flush_4k_us": None, "error": str(error)}


def times(found: Optional[Dict[str, Any]]) -> str:
    if not found or found.get("p50") is None:
        return ""
    return f"p50 {found['p50']:.0f} µs, p99 {found['p99']:.0f} µs, max {found['max']:.0f} µs"


def attach(findings: Sequence[Finding], measured: Dict[str, Any]) -> None:
    """Puts each figure beside the setting that it belongs to."""
    for finding in findings:
        kind, name = finding.setting.measured_by, finding.setting.name
        if finding.verdict == ABSENT:
            continue
        if kind == "clock" and measured.get("clock_read_ns"):
            finding.measured = f"one read: {measured['clock_read_ns']:.0f} ns"
        elif name == "cpu.idle_states":
            states = measured.get("idle_states") or {}
            usual, awake = times(states.get("as_set_late_us")), times(
                states.get("none_deep_late_us"))
            if usual:
                finding.measured = f"1 ms sleep late: {usual}" + (
                    f"; without deep states: {awake}" if awake else "")
        elif kind == "timer" and times(measured.get("timer_late_us")):
            finding.measured = "1 ms sleep late: " + times(measured["timer_late_us"])
        elif kind == "flush" and finding.reading.measure_dir:
            disk = (measured.get("dirs") or {}).get(finding.reading.measure_dir) or {}
            if times(disk.get("flush_4k_us")):
                finding.measured = "4 KiB flush: " + times(disk["flush_4k_us"])
                if disk.get("write_cache_words"):
                    finding.measured += "; suggests " + disk["write_cache_words"]
            elif disk.get("error"):
                finding.measured = "not measured: " + str(disk["error"])
