"""The table of all settings: what is read, what is good, why, and how it is changed.

Owns: the values that are recommended, each with its source. Never: reads or writes; a row names a
reader of readers.py and a rule of rules.py.
"""
from __future__ import annotations

from typing import List

from . import readers as r
from .judge import AtLeast, AtMost, Between, Look, OneOf, Setting

KERNEL = "https://docs.kernel.org/"
SYSCTL = KERNEL + "admin-guide/sysctl/"
VM, NET, FS = SYSCTL + "vm.html", SYSCTL + "net.html", SYSCTL + "fs.html"
IP = KERNEL + "networking/ip-sysctl.html"
CGROUP = KERNEL + "admin-guide/cgroup-v2.html"
BLOCK = KERNEL + "admin-guide/abi-stable.html"
KAFKA_ON_UBUNTU = "https://documentation.ubuntu.com/charmed-kafka/3/reference/performance-tuning"
DISK_SCHEDULER = (
    "https://docs.oracle.com/en/database/oracle/oracle-database/23/ladbi/"
    "setting-the-disk-io-scheduler-on-linux.html"
)
MIB = 1 << 20

PROCESSORS = [
    Setting(
        "cpu.governor", "processors", r.per_cpu("cpufreq/scaling_governor"),
        OneOf(("performance",)),
        "A core that has slept a little runs slowly at first with any other governor.",
        KERNEL + "admin-guide/pm/cpufreq.html", "medium",
        set_to="performance", measured_by="timer",
    ),
    Setting(
        "cpu.energy_preference", "processors",
        r.per_cpu("cpufreq/energy_performance_preference"),
        OneOf(("performance",)),
        "The processor itself decides by this hint how soon it raises its clock.",
        KERNEL + "admin-guide/pm/intel_pstate.html", "low", set_to="performance",
    ),
    Setting(
        "cpu.idle_states", "processors", r.idle_states,
        OneOf(("1",), "none that takes over 20 µs to wake from"),
        "A request that meets a sleeping core waits for it to wake; the price is power.",
        KERNEL + "admin-guide/pm/cpuidle.html", "medium",
        set_to="1", measured_by="timer",
    ),
    Setting(
        "cpu.smt", "processors", r.file(r.CPU + "/smt/active"),
        Look(("0",), "0, or one shard per physical core"),
        "Two shards on the threads of one core take turns with its units.",
        KERNEL + "admin-guide/abi-testing.html", "low", by_hand="name one thread of each core in shard.cores, and measure",
    ),
    Setting(
        "cpu.isolated", "processors", r.isolated,
        Look(("none",), "none, or the broker's cores (optional)"),
        "Cores kept from other work (isolcpus, nohz_full) are only good for those pinned to them.",
        KERNEL + "admin-guide/kernel-parameters.html", "low",
        by_hand="compare shard.cores with them",
    ),
    Setting(
        "irq.irqbalance", "processors", r.irqbalance,
        Look(("not running",), "not running, or kept from the broker's cores"),
        "It moves interrupts onto the broker's cores, and undoes what was set by hand.",
        KERNEL + "core-api/irq/irq-affinity.html", "medium",
        by_hand="systemctl disable --now irqbalance, or IRQBALANCE_BANNED_CPULIST",
    ),
    Setting(
        "irq.network", "processors", r.nic_interrupts,
        OneOf((), "CPUs that run no shard"),
        "An interrupt on a shard's core takes time from every connection of that shard.",
        KERNEL + "core-api/irq/irq-affinity.html", "medium",
    ),
    Setting(
        "clock.source", "processors", r.clock_source,
        OneOf(("tsc", "kvm-clock", "arch_sys_counter", "hyperv_clocksource_tsc_page"),
              "tsc, or one of a hypervisor that is read without a call"),
        "Others (hpet, acpi_pm, xen) cost a system call or more for each look at the time.",
        KERNEL + "timers/timekeeping.html", "high",
        set_to="tsc", by_hand="find out why the kernel gave up tsc (dmesg | grep -i tsc)",
        measured_by="clock",
    ),
    Setting(
        "kernel.numa_balancing", "processors", r.numa_only(r.sysctl("kernel.numa_balancing")),
        OneOf(("0",)),
        "Shards are pinned already; sampling their pages by faults only costs.",
        SYSCTL + "kernel.html", "medium", set_to="0",
    ),
]

MEMORY = [
    Setting(
        "memory.huge_pages", "memory",
        r.file("/sys/kernel/mm/transparent_hugepage/enabled"), OneOf(("madvise", "never")),
        "With `always` the kernel stops threads to compact memory that they did not ask for.",
        KERNEL + "admin-guide/mm/transhuge.html", "medium", set_to="madvise",
    ),
    Setting(
        "memory.huge_pages_defrag", "memory",
        r.file("/sys/kernel/mm/transparent_hugepage/defrag"),
        OneOf(("madvise", "defer+madvise", "defer", "never")),
        "With `always` a page fault waits for compaction.",
        KERNEL + "admin-guide/mm/transhuge.html", "low", set_to="madvise",
    ),
    Setting(
        "vm.swappiness", "memory", r.sysctl("vm.swappiness"), AtMost(10),
        "Page cache is to be given up before the broker's own memory is swapped out.",
        VM + " and " + KAFKA_ON_UBUNTU, "medium", set_to="1",
    ),
    Setting(
        "memory.swap", "memory", r.swap, Look(("none",), "none"),
        "A shard that waits for a swapped page stands still with all its connections.",
        VM, "medium", by_hand="swapoff -a and remove it from /etc/fstab, or keep swappiness at 1",
    ),
    Setting(
        "vm.dirty_background_ratio", "memory", r.dirty("background_", 5),
        AtMost(5, "5 % or less"),
        "Writing back early and evenly keeps flushes from queueing behind a burst.",
        VM + " and " + KAFKA_ON_UBUNTU, "medium", set_to="5",
    ),
    Setting(
        "vm.dirty_ratio", "memory", r.dirty("", 60), AtLeast(40, "40 % or more"),
        "At this share the writer itself is stopped, and a shard is a writer.",
        VM + " and " + KAFKA_ON_UBUNTU, "medium", set_to="60",
    ),
    Setting(
        "vm.max_map_count", "memory", r.sysctl("vm.max_map_count"), AtLeast(65530),
        "Millstream maps no files, unlike Kafka: the kernel's default is enough.",
        VM, "low", set_to="65530",
    ),
    Setting(
        "vm.zone_reclaim_mode", "memory", r.numa_only(r.sysctl("vm.zone_reclaim_mode")),
        OneOf(("0",)),
        "Otherwise a full node drops its page cache while others have free memory.",
        VM, "high", set_to="0",
    ),
]

DISKS = [
    Setting(
        "disk.file_system", "disks", r.per_mount(lambda mount: mount.kind), OneOf(("xfs", "ext4")),
        "Both take O_DIRECT and flush a file in place; others copy on write, or lie in memory.",
        KERNEL + "admin-guide/ext4.html and " + KERNEL + "admin-guide/xfs.html", "high",
        by_hand="move the log directory to a volume with xfs or ext4",
    ),
    Setting(
        "disk.atime", "disks", r.per_mount(r.atime_of), OneOf(("noatime", "relatime")),
        "Reading a log should write nothing; relatime writes once a day and file.",
        "https://man7.org/linux/man-pages/man8/mount.8.html", "low",
        by_hand="mount -o remount,noatime, and the same in /etc/fstab",
    ),
    Setting(
        "disk.discard", "disks", r.per_mount(r.discard_of), OneOf(("no discard",)),
        "Each trim stands in the way of other requests to the disk; once a week is enough.",
        "https://man7.org/linux/man-pages/man8/fstrim.8.html", "low",
        by_hand="mount -o remount,nodiscard, and systemctl enable --now fstrim.timer",
    ),
    Setting(
        "disk.barrier", "disks", r.per_mount(r.barrier_of), OneOf(("on",)),
        "Without it a flush does not reach the disk, and a power cut loses acknowledged records.",
        KERNEL + "block/writeback_cache_control.html", "high",
        by_hand="mount -o remount,barrier, and remove nobarrier from /etc/fstab",
    ),
    Setting(
        "disk.journal", "disks", r.per_mount(r.journal_of), OneOf(("of metadata",)),
        "data=journal writes every byte twice and turns O_DIRECT off.",
        KERNEL + "admin-guide/ext4.html", "medium", by_hand="remove data=journal from /etc/fstab",
    ),
    Setting(
        "disk.readahead_kb", "disks", r.per_disk("read_ahead_kb", lambda disk: disk.is_top),
        Between(128, 8192),
        "Recovery reads in sequence; readers of old records are read ahead by the broker itself.",
        BLOCK, "low", set_to="4096",
    ),
    Setting(
        "disk.scheduler", "disks", r.schedulers,
        OneOf((), "none; mq-deadline for rotating disks, or virtual ones"),
        "A scheduler that orders for fairness makes flushes wait for reads of others.",
        KERNEL + "block/switching-sched.html and " + DISK_SCHEDULER, "medium",
    ),
    Setting(
        "disk.write_cache", "disks", r.write_caches,
        Look(("write through",), "write through: none, or a durable one"),
        "A volatile cache makes each flush wait; never write this file: it hides, not mends.",
        KERNEL + "block/writeback_cache_control.html", "high",
        by_hand="disks with power-loss protection flush in under 100 µs", measured_by="flush",
    ),
]

NETWORK = [
    Setting(
        "net.core.somaxconn", "network", r.sysctl("net.core.somaxconn"), AtLeast(4096),
        "It bounds socket.listen.backlog.size: more clients at once are refused.",
        IP, "medium", set_to="4096",
    ),
    Setting(
        "net.ipv4.tcp_max_syn_backlog", "network", r.sysctl("net.ipv4.tcp_max_syn_backlog"),
        AtLeast(4096), "All clients of a lost broker come back at the same moment.",
        IP, "low", set_to="4096",
    ),
    Setting(
        "net.ipv4.tcp_slow_start_after_idle", "network",
        r.sysctl("net.ipv4.tcp_slow_start_after_idle"), OneOf(("0",)),
        "After a pause of one timeout the next batch would begin with a small window again.",
        IP, "medium", set_to="0",
    ),
    Setting(
        "net.core.rmem_max", "network", r.sysctl("net.core.rmem_max", r.as_bytes),
        AtLeast(2 * MIB, "2 MiB or more"), "It bounds socket.receive.buffer.bytes.",
        NET, "low", set_to=str(4 * MIB),
    ),
    Setting(
        "net.core.wmem_max", "network", r.sysctl("net.core.wmem_max", r.as_bytes),
        AtLeast(2 * MIB, "2 MiB or more"), "It bounds socket.send.buffer.bytes.",
        NET, "low", set_to=str(4 * MIB),
    ),
    Setting(
        "net.ipv4.tcp_rmem", "network", r.last_of("net.ipv4.tcp_rmem", 16 * MIB),
        AtLeast(4 * MIB, "a maximum of 4 MiB or more"),
        "The kernel tunes windows up to here: rate × round trip of the farthest replica.",
        IP, "low", set_to="4096 131072 16777216",
    ),
    Setting(
        "net.ipv4.tcp_wmem", "network", r.last_of("net.ipv4.tcp_wmem", 16 * MIB),
        AtLeast(4 * MIB, "a maximum of 4 MiB or more"),
        "The same for what is sent: consumers far away.",
        IP, "low", set_to="4096 16384 16777216",
    ),
    Setting(
        "net.ipv4.tcp_window_scaling", "network", r.sysctl("net.ipv4.tcp_window_scaling"),
        OneOf(("1",)), "Without it a connection has 64 KiB under way at most.",
        IP, "high", set_to="1",
    ),
    Setting(
        "net.ipv4.tcp_sack", "network", r.sysctl("net.ipv4.tcp_sack"), OneOf(("1",)),
        "Without it one lost packet has a whole window sent again.",
        IP, "medium", set_to="1",
    ),
]

LIMITS = [
    Setting(
        "limit.open_files", "limits", r.limit("Max open files"), AtLeast(1048576),
        "One descriptor per connection and two per busy partition, doubled.",
        "docs/configuration.md, open files", "high",
        by_hand="LimitNOFILE=1048576 in the unit, --ulimit nofile=1048576:1048576, or ulimit -n",
    ),
    Setting(
        "fs.nr_open", "limits", r.sysctl("fs.nr_open"), AtLeast(1048576),
        "No process gets a higher limit of open files than this.", FS, "medium", set_to="1048576",
    ),
    Setting(
        "fs.file-max", "limits", r.sysctl("fs.file-max"), AtLeast(1048576),
        "All processes together have no more open files than this.", FS, "medium",
        set_to="2097152",
    ),
    Setting(
        "limit.locked_memory", "limits", r.locked_memory, AtLeast(64 * MIB, "64 MiB or more"),
        "Before Linux 5.12 each shard's ring counts as locked memory.",
        "https://man7.org/linux/man-pages/man3/io_uring_mlock_size.3.html", "high",
        by_hand="LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited",
    ),
    Setting(
        "kernel.io_uring_disabled", "limits", r.sysctl("kernel.io_uring_disabled"),
        OneOf(("0",)), "Otherwise the broker falls back to epoll and costs more CPU per request.",
        SYSCTL + "kernel.html", "high", set_to="0",
    ),
    Setting(
        "io_uring", "limits", r.io_uring, OneOf(("works",)),
        "io_uring_setup was tried here, in this process.",
        "README.md, io_uring and epoll", "high",
        by_hand="see README.md, io_uring and epoll",
    ),
    Setting(
        "cgroup.cpu", "limits", r.cpu_quota, OneOf(("max",), "no quota"),
        "At the quota all shards stop together until the next period, up to 100 ms.",
        CGROUP, "high", by_hand="give whole CPUs (cpuset) in place of CPUQuota= or --cpus",
    ),
    Setting(
        "cgroup.memory", "limits", r.memory_limit, Look(("max",), "no limit, or well above use"),
        "The page cache counts, and the broker itself takes half (memory.limit.bytes).",
        CGROUP + " and docs/reliability.md", "medium",
        by_hand="twice memory.limit.bytes and the logs that are read often",
    ),
    Setting(
        "cgroup.io", "limits", r.io_limit, OneOf(("none",)),
        "A flush that is held back holds back every acknowledgement of its directory.",
        CGROUP, "high", by_hand="remove IOWriteBandwidthMax= and the like",
    ),
]

SETTINGS: List[Setting] = PROCESSORS + MEMORY + DISKS + NETWORK + LIMITS
