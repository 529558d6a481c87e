"""The host as files: what /proc and /sys say, below a root that tests replace.

Owns: where things lie in /proc and /sys. Never: judges a value, or writes one.
"""
from __future__ import annotations

import ctypes
import errno
import glob
import os
import re
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

IO_URING_SETUP = 425  # the same number on every architecture that Linux has had since 5.1
IO_URING_PARAMS_BYTES = 120


class Mount(NamedTuple):
    point: str
    kind: str
    options: Tuple[str, ...]
    source: str
    device: str  # MAJOR:MINOR


class Disk(NamedTuple):
    name: str
    is_top: bool  # the file system lies on it
    is_leaf: bool  # nothing lies below it


def probe_io_uring() -> str:
    """`works`, or the name of the error of io_uring_setup(2) in this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    params = ctypes.create_string_buffer(IO_URING_PARAMS_BYTES)
    descriptor = libc.syscall(ctypes.c_long(IO_URING_SETUP), ctypes.c_uint(1), params)
    if descriptor < 0:
        return errno.errorcode.get(ctypes.get_errno(), str(ctypes.get_errno()))
    os.close(descriptor)
    return "works"


def parse_cpus(text: str) -> List[int]:
    """`0-2,5` as numbers."""
    cpus: List[int] = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        cpus.extend(range(int(first), int(last or first) + 1))
    return sorted(set(cpus))


def show_cpus(cpus: Sequence[int]) -> str:
    """Numbers as `0-2,5`."""
    parts: List[List[int]] = []
    for cpu in sorted(cpus):
        if parts and parts[-1][1] == cpu - 1:
            parts[-1][1] = cpu
        else:
            parts.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


class Host:
    def __init__(
        self,
        root: str = "/",
        log_dirs: Sequence[str] = (".",),
        cores: Optional[Sequence[int]] = None,
        pid: Optional[int] = None,
        io_uring: Optional[Callable[[], str]] = None,
    ):
        self.root = root
        self.is_real = os.path.realpath(root) == "/"
        absolute = os.path.realpath if self.is_real else os.path.abspath
        self.log_dirs = [absolute(directory) for directory in log_dirs]
        self.cores = list(cores) if cores is not None else None
        self.pid = pid if pid is not None else self._only_broker()
        self.io_uring = io_uring or (probe_io_uring if self.is_real else None)

    def under(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def text(self, path: str) -> Optional[str]:
        try:
            with open(self.under(path), encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except OSError:
            return None

    def names(self, path: str) -> List[str]:
        try:
            return sorted(os.listdir(self.under(path)))
        except OSError:
            return []

    def glob(self, pattern: str) -> List[str]:
        """Paths as the host has them, without the root before them, in the order of numbers."""
        skipped = len(self.root.rstrip("/"))
        found = [path[skipped:] for path in glob.glob(self.under(pattern))]
        return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path)])

    def exists(self, path: str) -> bool:
        return os.path.exists(self.under(path))

    # ---- processes

    def _only_broker(self) -> Optional[int]:
        brokers = self.processes("millstream")
        return brokers[0] if len(brokers) == 1 else None

    def processes(self, command: str) -> List[int]:
        pids = [int(name) for name in self.names("/proc") if name.isdigit()]
        return [pid for pid in pids if self.text(f"/proc/{pid}/comm") == command]

    @property
    def process(self) -> str:
        """The folder of the broker's process, or of this one, whose limits a shell hands on."""
        return f"/proc/{self.pid}" if self.pid is not None else "/proc/self"

    @property
    def process_words(self) -> str:
        return f"broker, pid {self.pid}" if self.pid is not None else "this shell"

    # ---- machine

    def kernel(self) -> Tuple[int, int]:
        found = re.match(r"(\d+)\.(\d+)", self.text("/proc/sys/kernel/osrelease") or "")
        return (int(found.group(1)), int(found.group(2))) if found else (0, 0)

    def memory_bytes(self) -> int:
        found = re.search(r"^MemTotal:\s+(\d+) kB", self.text("/proc/meminfo") or "", re.M)
        return int(found.group(1)) * 1024 if found else 0

    def cpus(self) -> List[int]:
        return parse_cpus(self.text("/sys/devices/system/cpu/online") or "")

    def nodes(self) -> int:
        return len(self.glob("/sys/devices/system/node/node[0-9]*"))

    # ---- disks

    def mount_of(self, directory: str) -> Optional[Mount]:
        best = None
        for line in (self.text("/proc/self/mountinfo") or "").splitlines():
            mount = _parse_mount(line)
            if mount is None:
                continue
            is_above = directory == mount.point or directory.startswith(
                mount.point.rstrip("/") + "/"
            )
            # Of two mounts on one folder the later one is seen.
            if is_above and (best is None or len(mount.point) >= len(best.point)):
                best = mount
        return best

    def disks_of(self, mount: Mount) -> List[Disk]:
        """The block devices below a mount, from the one with the file system down."""
        link = self.under(f"/sys/dev/block/{mount.device}")
        if not os.path.exists(link):
            link = self.under(f"/sys/class/block/{os.path.basename(mount.source)}")
            if not mount.source.startswith("/dev/") or not os.path.exists(link):
                return []
        folder = os.path.realpath(link)
        if os.path.exists(os.path.join(folder, "partition")):
            folder = os.path.dirname(folder)
        return self._below(os.path.basename(folder), True)

    def _below(self, name: str, is_top: bool) -> List[Disk]:
        slaves = self.names(f"/sys/class/block/{name}/slaves")
        disks = [Disk(name, is_top, not slaves)]
        for slave in slaves:
            folder = os.path.realpath(self.under(f"/sys/class/block/{slave}"))
            if os.path.exists(os.path.join(folder, "partition")):
                slave = os.path.basename(os.path.dirname(folder))
            disks.extend(self._below(slave, False))
        return disks

    # ---- cgroups

    def cgroup(self, version_1: str, controller: str, version_2: str) -> List[Tuple[str, str]]:
        """What the files of that name say, from the process's own group up: (path, text)."""
        found: List[Tuple[str, str]] = []
        for line in (self.text(f"{self.process}/cgroup") or "").splitlines():
            _, _, rest = line.partition(":")
            controllers, _, group = rest.partition(":")
            if controllers == "":
                bases, name = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], version_2
            elif controller in controllers.split(","):
                bases, name = [f"/sys/fs/cgroup/{controllers}", f"/sys/fs/cgroup/{controller}"], \
                    version_1
            else:
                continue
            parts = [part for part in group.split("/") if part not in ("", "..")]
            for base in bases:
                for depth in range(len(parts), -1, -1):
                    path = "/".join([base, *parts[:depth], name])
                    text = self.text(path)
                    if text is not None and path not in dict(found):
                        found.append((path, text))
        return found


def _parse_mount(line: str) -> Optional[Mount]:
    """A line of /proc/PID/mountinfo, see proc_pid_mountinfo(5)."""
    before, separator, after = line.partition(" - ")
    fields, rest = before.split(), after.split()
    if not separator or len(fields) < 6 or len(rest) < 3:
        return None
    point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal.group(1), 8)), fields[4])
    options = tuple(fields[5].split(",") + rest[2].split(","))
    return Mount(point, rest[0], options, rest[1], fields[2])
