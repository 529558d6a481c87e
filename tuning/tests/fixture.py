"""A small host as a folder: what /proc and /sys say of a machine that needs every change."""
from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import unittest
from typing import Callable, List, Tuple

sys.dont_write_bytecode = True

from hosttune.host import Host  # noqa: E402

MIB = 1 << 20
FILES = {
    "/proc/sys/kernel/osrelease": "5.10.0-test",
    "/proc/sys/kernel/random/boot_id": "boot-one",
    "/proc/sys/kernel/numa_balancing": "1",
    "/proc/sys/kernel/io_uring_disabled": "2",
    "/proc/sys/vm/swappiness": "60",
    "/proc/sys/vm/dirty_background_ratio": "10",
    "/proc/sys/vm/dirty_background_bytes": "0",
    "/proc/sys/vm/dirty_ratio": "0",
    "/proc/sys/vm/dirty_bytes": str(100 * MIB),
    "/proc/sys/vm/zone_reclaim_mode": "1",
    "/proc/sys/net/core/somaxconn": "128",
    "/proc/sys/net/ipv4/tcp_rmem": "4096\t131072\t1048576",
    "/proc/meminfo": "MemTotal:       1024000 kB\nMemFree: 5 kB",
    "/proc/swaps": "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2",
    "/proc/self/limits": "Limit  Soft Limit  Hard Limit  Units\n"
                         "Max open files  1024  4096  files\n"
                         "Max locked memory  65536  65536  bytes",
    "/proc/self/cgroup": "0::/system.slice/millstream.service",
    "/proc/self/status": "Name: x\nSeccomp:\t2",
    "/proc/self/mountinfo":
        "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
        "2 1 0:30 / /scratch rw,noatime - tmpfs tmpfs rw\n"
        "3 1 259:0 / /var/lib/my\\040logs rw,strictatime,discard - xfs /dev/nvme0n1 rw,nobarrier",
    "/sys/fs/cgroup/cpu.max": "max 100000",
    "/sys/fs/cgroup/system.slice/cpu.max": "300000 100000",
    "/sys/fs/cgroup/system.slice/millstream.service/cpu.max": "150000 100000",
    "/sys/fs/cgroup/system.slice/millstream.service/cpu.stat":
        "usage_usec 5\nnr_periods 100\nnr_throttled 7",
    "/sys/fs/cgroup/system.slice/memory.max": str(512 * MIB),
    "/sys/fs/cgroup/system.slice/millstream.service/memory.max": "max",
    "/sys/fs/cgroup/system.slice/millstream.service/io.max": "259:0 wbps=1048576",
    "/sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never",
    "/sys/devices/system/node/node0/cpulist": "0-1",
    "/sys/devices/system/node/node1/cpulist": "2-3",
    "/sys/devices/system/cpu/online": "0-3",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet",
    "/sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm",
    "/proc/77/comm": "irqbalance",
    "/proc/irq/40/smp_affinity_list": "0-1",
    "/proc/irq/41/smp_affinity_list": "3",
    "/sys/class/net/lo/mtu": "65536",
    "/sys/class/net/eth0/device/msi_irqs/40": "",
    "/sys/class/net/eth0/device/msi_irqs/41": "",
    "/sys/devices/nvme0n1/queue/scheduler": "none [mq-deadline] kyber",
    "/sys/devices/nvme0n1/queue/rotational": "0",
    "/sys/devices/nvme0n1/queue/read_ahead_kb": "16",
    "/sys/devices/nvme0n1/queue/write_cache": "write back",
    "/sys/devices/nvme0n1/queue/fua": "1",
}
for cpu in range(4):
    base = f"/sys/devices/system/cpu/cpu{cpu}"
    FILES[f"{base}/cpufreq/scaling_governor"] = "powersave" if cpu < 3 else "performance"
    for state, name, latency in ((0, "POLL", "0"), (1, "C1", "2"), (2, "C6", "133")):
        folder = f"{base}/cpuidle/state{state}"
        FILES[f"{folder}/name"], FILES[f"{folder}/latency"] = name, latency
        FILES[f"{folder}/disable"] = "1" if cpu == 3 else "0"
LINKS = {
    "/sys/class/block/nvme0n1": "../../devices/nvme0n1",
    "/sys/dev/block/259:0": "../../devices/nvme0n1",
}
LOGS = "/var/lib/my logs"


class FakeHost(unittest.TestCase):
    """A test with a root of its own."""

    def setUp(self) -> None:
        # Each change is synced: in memory that costs nothing.
        in_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.root = tempfile.mkdtemp(dir=in_memory)
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in FILES.items():
            self.put(path, text)
        for path, target in LINKS.items():
            os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
            os.symlink(target, self.root + path)

    def put(self, path: str, text: str) -> None:
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w", encoding="utf-8") as file:
            file.write(text + "\n")

    def get(self, path: str) -> str:
        with open(self.root + path, encoding="utf-8") as file:
            return file.read().strip()

    def host(self, **given) -> Host:
        return Host(self.root, given.pop("log_dirs", [LOGS + "/a"]), **given)

    def call(self, command: Callable[[List[str]], int], *words: str) -> Tuple[int, str, str]:
        """Exit code, stdout and stderr of a command line on this root."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = command([*words, "--root", self.root])
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, out.getvalue(), err.getvalue()
