"""How each setting is read.

Owns: functions from a host to readings, made for the table in settings.py. Never: decides what is
good, but where no rule over one value can.
"""
from __future__ import annotations

import re
from typing import Callable, Dict, List

from .host import Host, parse_cpus, show_cpus
from .judge import CHANGE, LOOK, OK, Reading
from .rules import number, show_bytes

Reader = Callable[[Host], List[Reading]]
CPU = "/sys/devices/system/cpu"
# A state that takes longer to wake from shows in the latency of a lone request.
IDLE_LATENCY_MAX_US = 20


def chosen(text: str) -> str:
    """The choice of a file such as `always [madvise] never`; the text where there is none."""
    found = re.search(r"\[([^\]]+)\]", text)
    return found.group(1) if found else text


def file(path: str, show: Callable[[str], str] = str) -> Reader:
    def read(host: Host) -> List[Reading]:
        text = host.text(path)
        if text is None:
            return []
        return [Reading(chosen(text), shown=show(chosen(text)), paths=(path,))]

    return read


def sysctl(name: str, show: Callable[[str], str] = str) -> Reader:
    return file("/proc/sys/" + name.replace(".", "/"), show)


def as_bytes(text: str) -> str:
    return show_bytes(number(text))


def numa_only(read: Reader) -> Reader:
    """On a machine with one node the setting changes nothing."""

    def read_it(host: Host) -> List[Reading]:
        readings = read(host)
        if host.nodes() <= 1:
            for reading in readings:
                reading.verdict, reading.shown = OK, f"{reading.value}, one NUMA node"
        return readings

    return read_it


def last_of(name: str, set_last: int) -> Reader:
    """The maximum of a sysctl of three numbers; a change keeps the other two."""

    def read(host: Host) -> List[Reading]:
        path = "/proc/sys/" + name.replace(".", "/")
        numbers = (host.text(path) or "").split()
        if len(numbers) != 3:
            return []
        set_to = " ".join([*numbers[:2], str(set_last)])
        shown = show_bytes(number(numbers[2]))
        return [Reading(numbers[2], shown=shown, paths=(path,), set_to=set_to)]

    return read


def dirty(name: str, percent: int) -> Reader:
    """vm.dirty_NAMEratio, or the one in bytes where that is in force, as a percentage."""

    def read(host: Host) -> List[Reading]:
        base = f"/proc/sys/vm/dirty_{name}"
        in_bytes, ratio = host.text(base + "bytes"), host.text(base + "ratio")
        if ratio is None:
            return []
        if in_bytes in (None, "", "0"):
            return [Reading(ratio, shown=f"{ratio} %", paths=(base + "ratio",),
                            set_to=str(percent))]
        memory = host.memory_bytes() or 1
        share = 100 * int(in_bytes) / memory
        shown = f"{show_bytes(int(in_bytes))}, {share:.1f} % of memory"
        set_to = str(memory * percent // 100)
        return [Reading(f"{share:.2f}", shown=shown, paths=(base + "bytes",), set_to=set_to)]

    return read


# ---- processors


def _of_cores(host: Host, paths: List[str]) -> List[str]:
    if host.cores is None:
        return paths
    return [path for path in paths if int(re.findall(r"/cpu(\d+)/", path)[0]) in host.cores]


def per_cpu(name: str) -> Reader:
    """A file of each processor; processors with one value are one reading."""

    def read(host: Host) -> List[Reading]:
        by_value: Dict[str, List[str]] = {}
        for path in _of_cores(host, host.glob(f"{CPU}/cpu[0-9]*/{name}")):
            by_value.setdefault(host.text(path) or "", []).append(path)
        readings = []
        for value, paths in by_value.items():
            cpus = [int(re.findall(r"/cpu(\d+)/", path)[0]) for path in paths]
            readings.append(Reading(value, subject=f"cpu {show_cpus(cpus)}", paths=tuple(paths)))
        return readings

    return read


def idle_states(host: Host) -> List[Reading]:
    """States of idleness that take long to wake from, one reading each."""
    by_state: Dict[str, List[str]] = {}
    folders = _of_cores(host, host.glob(f"{CPU}/cpu[0-9]*/cpuidle/state[0-9]*"))
    longest, words = 0, ""
    for folder in folders:
        latency_us = int(host.text(f"{folder}/latency") or 0)
        name = host.text(f"{folder}/name") or folder.rsplit("/", 1)[1]
        if latency_us > longest:
            longest, words = latency_us, name
        if latency_us > IDLE_LATENCY_MAX_US:
            by_state.setdefault(f"{name}, {latency_us} µs", []).append(f"{folder}/disable")
    if folders and not by_state:
        shown = f"deepest is {words}, {longest} µs" if words else "none takes long"
        return [Reading("1", shown=shown, verdict=OK)]
    readings = []
    for state, paths in by_state.items():
        enabled = tuple(path for path in paths if host.text(path) == "0")
        shown = f"enabled on {len(enabled)} of {len(paths)} CPUs" if enabled else "disabled"
        readings.append(
            Reading("0" if enabled else "1", subject=state, shown=shown, paths=enabled)
        )
    return readings


def clock_source(host: Host) -> List[Reading]:
    base = "/sys/devices/system/clocksource/clocksource0"
    current = host.text(f"{base}/current_clocksource")
    if current is None:
        return []
    available = (host.text(f"{base}/available_clocksource") or "").split()
    reading = Reading(current, paths=(f"{base}/current_clocksource",))
    if "tsc" not in available:
        reading.set_to = ""
    return [reading]


def isolated(host: Host) -> List[Reading]:
    texts = [(name, host.text(f"{CPU}/{name}")) for name in ("isolated", "nohz_full")]
    shown = "; ".join(f"{name} {text}" for name, text in texts if text and text != "(null)")
    return [Reading(shown or "none", verdict=OK if not shown else LOOK)]


def irqbalance(host: Host) -> List[Reading]:
    return [Reading("running" if host.processes("irqbalance") else "not running")]


def nic_interrupts(host: Host) -> List[Reading]:
    """On which processors the interrupts of network cards are handled."""
    readings = []
    for name in host.names("/sys/class/net"):
        folder = f"/sys/class/net/{name}/device"
        # Of a virtio card they belong to the PCI device above it.
        irqs = host.names(f"{folder}/msi_irqs") or host.names(f"{folder}/../msi_irqs")
        paths, cpus = [], set()
        for irq in irqs:
            path = f"/proc/irq/{irq}/smp_affinity_list"
            text = host.text(path)
            if text is None:
                continue
            on = set(parse_cpus(text))
            cpus |= on
            if host.cores is None or on & set(host.cores):
                paths.append(path)
        if not cpus:
            continue
        reading = Reading(show_cpus(sorted(cpus)), subject=name, verdict=OK)
        reading.shown = f"{len(irqs)} interrupts on CPUs {reading.value}"
        others = [cpu for cpu in host.cpus() if cpu not in (host.cores or [])]
        if host.cores is None:
            reading.verdict = LOOK
            reading.by_hand = "give --cores with the list of shard.cores to have this judged"
        elif paths and others:
            reading.verdict, reading.set_to = CHANGE, show_cpus(others)
            reading.paths = tuple(paths)
        elif paths:
            reading.verdict = LOOK
            reading.by_hand = "leave a processor out of shard.cores for interrupts"
        readings.append(reading)
    return readings


# ---- memory


def swap(host: Host) -> List[Reading]:
    text = host.text("/proc/swaps")
    if text is None:
        return []
    areas = [line.split()[0] for line in text.splitlines()[1:] if line.split()]
    return [Reading(" ".join(areas) or "none")]


# ---- disks of the log directories


def per_mount(value: Callable[[object], str], shown: str = "") -> Reader:
    def read(host: Host) -> List[Reading]:
        readings: Dict[str, Reading] = {}
        for directory in host.log_dirs:
            mount = host.mount_of(directory)
            if mount is not None:
                found = value(mount)
                readings[mount.point] = Reading(
                    found, subject=mount.point, shown=found + shown, measure_dir=directory
                )
        return list(readings.values())

    return read


def atime_of(mount) -> str:
    return next((name for name in ("noatime", "relatime") if name in mount.options), "atime")


def discard_of(mount) -> str:
    is_on = any(option.split("=")[0] == "discard" for option in mount.options)
    return "discard" if is_on else "no discard"


def barrier_of(mount) -> str:
    is_off = {"nobarrier", "barrier=0"} & set(mount.options)
    return "off" if is_off else "on"


def journal_of(mount) -> str:
    is_data = "data=journal" in mount.options
    return "of data" if is_data else "of metadata"


def per_disk(name: str, is_wanted: Callable[[object], bool], is_file: bool = True) -> Reader:
    """A file of the queue of each disk below the log directories."""

    def read(host: Host) -> List[Reading]:
        readings: Dict[str, Reading] = {}
        for directory in host.log_dirs:
            mount = host.mount_of(directory)
            for disk in host.disks_of(mount) if mount else []:
                path = f"/sys/class/block/{disk.name}/queue/{name}"
                text = host.text(path)
                if text is not None and is_wanted(disk):
                    paths = (path,) if is_file else ()
                    readings[disk.name] = Reading(
                        chosen(text), subject=disk.name, paths=paths, measure_dir=directory
                    )
        return list(readings.values())

    return read


def schedulers(host: Host) -> List[Reading]:
    readings = per_disk("scheduler", lambda disk: disk.is_leaf)(host)
    for reading in readings:
        name = reading.subject
        has = (host.text(reading.paths[0]) or "").replace("[", "").replace("]", "").split()
        is_rotating = host.text(f"/sys/class/block/{name}/queue/rotational") == "1"
        is_virtual = name.startswith(("vd", "xvd"))
        best = "mq-deadline" if is_rotating and not is_virtual else "none"
        good = {best} if name.startswith("nvme") or best != "none" else {"none", "mq-deadline"}
        reading.set_to = best
        if reading.value in good or best not in has:
            reading.verdict = OK
        reading.shown = f"{reading.value}, {'rotating' if is_rotating else 'flash'}" \
            + (" or virtual" if is_virtual else "")
    return readings


def write_caches(host: Host) -> List[Reading]:
    readings = per_disk("write_cache", lambda disk: disk.is_leaf, is_file=False)(host)
    for reading in readings:
        has_fua = host.text(f"/sys/class/block/{reading.subject}/queue/fua") == "1"
        reading.shown = f"{reading.value}, {'with' if has_fua else 'no'} FUA"
    return readings


# ---- limits


def limit(words: str, show: Callable[[str], str] = str) -> Reader:
    """The hard limit of the broker's process, or of this shell."""

    def read(host: Host) -> List[Reading]:
        text = host.text(f"{host.process}/limits") or ""
        found = re.search(rf"^{words}\s+(\S+)\s+(\S+)", text, re.M)
        if not found:
            return []
        return [Reading(found.group(2), subject=host.process_words, shown=show(found.group(2)))]

    return read


def locked_memory(host: Host) -> List[Reading]:
    readings = limit("Max locked memory", as_bytes)(host)
    for reading in readings:
        if host.kernel() >= (5, 12):
            reading.verdict = OK
            reading.shown += ", rings are not counted on this kernel"
    return readings


def io_uring(host: Host) -> List[Reading]:
    if host.io_uring is None:
        return []
    found = host.io_uring()
    reading = Reading(found)
    status = host.text("/proc/self/status") or ""
    has_filter = re.search(r"^Seccomp:\s+2", status, re.M) is not None
    if found == "EPERM" and host.text("/proc/sys/kernel/io_uring_disabled") in ("1", "2"):
        reading.by_hand = "sysctl -w kernel.io_uring_disabled=0"
    elif found == "EPERM" and has_filter:
        reading.shown = "EPERM, by a seccomp filter"
        reading.by_hand = "run the container with the profile that tuning/seccomp makes"
    elif found == "ENOSYS":
        reading.by_hand = "Linux 5.11 or later, or leave io.backend=epoll"
    elif found == "ENOMEM":
        reading.by_hand = "raise LimitMEMLOCK"
    return [reading]


# ---- control groups


def cpu_quota(host: Host) -> List[Reading]:
    tightest = None
    for path, text in host.cgroup("cpu.cfs_quota_us", "cpu", "cpu.max"):
        quota, period = (text.split() + ["100000"])[:2]
        if path.endswith("cfs_quota_us"):
            period = host.text(path.replace("quota", "period")) or "100000"
        if quota not in ("max", "-1"):
            cpus = int(quota) / int(period)
            if tightest is None or cpus < tightest[0]:
                tightest = (cpus, path)
    if tightest is None:
        return [Reading("max", shown="no quota")]
    cpus, path = tightest
    stat = host.text(path.rsplit("/", 1)[0] + "/cpu.stat") or ""
    counts = dict(line.split()[:2] for line in stat.splitlines() if len(line.split()) >= 2)
    shown = f"{cpus:.3g} CPUs"
    if "nr_throttled" in counts:
        shown += f", stopped in {counts['nr_throttled']} of {counts.get('nr_periods')} periods"
    return [Reading(f"{cpus:.3f}", shown=shown)]


def memory_limit(host: Host) -> List[Reading]:
    found = host.cgroup("memory.limit_in_bytes", "memory", "memory.max")
    found += host.cgroup("memory.soft", "none", "memory.high")
    least = min([number(text) for _, text in found] or [float("inf")])
    # The largest number of version 1 means no limit.
    if least >= (host.memory_bytes() or 1 << 62):
        return [Reading("max", shown="no limit")]
    return [Reading(str(int(least)), shown=show_bytes(least))]


def io_limit(host: Host) -> List[Reading]:
    found = host.cgroup("blkio.throttle.write_bps_device", "blkio", "io.max")
    for name in ("read_bps", "read_iops", "write_iops"):
        found += host.cgroup(f"blkio.throttle.{name}_device", "blkio", "none")
    limits = sorted({text.replace("\n", "; ") for _, text in found if text})
    return [Reading("; ".join(limits) or "none")]
