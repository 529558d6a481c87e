"""What is read and how it is judged, on a host of fixture files."""
from __future__ import annotations

import json
from unittest import TestCase

from hosttune import cli, readers, show
from hosttune.host import parse_cpus, show_cpus
from hosttune.judge import ABSENT, BY_HAND, CHANGE, LOOK, MATTERS, OK, check
from hosttune.rules import AtLeast, AtMost, Between, Look, OneOf
from hosttune.settings import SETTINGS
from .fixture import LOGS, FakeHost


class Rules(TestCase):
    def test_numbers_compare_as_numbers_and_words_never_pass(self):
        self.assertTrue(AtLeast(1048576).good("unlimited") and AtLeast(10).good("10"))
        self.assertFalse(AtLeast(10).good("9") or AtLeast(10).good("powersave"))
        self.assertTrue(AtMost(10).good("10") and not AtMost(10).good("100"))
        self.assertTrue(Between(1, 3).good("2") and not Between(1, 3).good("4"))
        self.assertTrue(OneOf(("a", "b")).good("b") and not OneOf(("a",)).good("aa"))

    def test_lists_of_processors(self):
        self.assertEqual(parse_cpus("0-2,5\n"), [0, 1, 2, 5])
        self.assertEqual(show_cpus([5, 0, 1, 2]), "0-2,5")
        self.assertEqual((parse_cpus(""), show_cpus([])), ([], ""))


class Table(TestCase):
    def test_each_setting_has_a_name_a_reason_and_a_source(self):
        names = [setting.name for setting in SETTINGS]
        self.assertEqual(len(names), len(set(names)))
        for setting in SETTINGS:
            self.assertIn(setting.matters, MATTERS, setting.name)
            self.assertTrue(setting.why.endswith(".") and len(setting.why) < 100, setting.name)
            self.assertTrue(setting.source and setting.rule.words, setting.name)

    def test_what_apply_would_set_is_what_check_calls_good(self):
        for setting in SETTINGS:
            value = setting.set_to.split()[-1] if setting.set_to else ""
            if value:
                self.assertTrue(setting.rule.good(value), setting.name)


class Check(FakeHost):
    def found(self, name, **given):
        """The findings of a setting by subject."""
        findings = check(self.host(**given), [s for s in SETTINGS if s.name == name])
        self.assertTrue(findings, name)
        return {finding.reading.subject: finding for finding in findings}

    def one(self, name, **given):
        (finding,) = self.found(name, **given).values()
        return finding

    def test_a_sysctl_is_changed_where_it_lies(self):
        finding = self.one("vm.swappiness")
        self.assertEqual((finding.verdict, finding.shown), (CHANGE, "60"))
        self.assertEqual(finding.writes, [("/proc/sys/vm/swappiness", "1")])
        self.put("/proc/sys/vm/swappiness", "10")
        self.assertEqual(self.one("vm.swappiness").verdict, OK)

    def test_what_the_kernel_does_not_have_is_absent(self):
        self.assertEqual(self.one("fs.nr_open").verdict, ABSENT)
        self.assertEqual(self.one("cpu.energy_preference").verdict, ABSENT)

    def test_dirty_limits_in_bytes_are_judged_as_shares_and_stay_in_bytes(self):
        finding = self.one("vm.dirty_ratio")
        self.assertEqual(finding.verdict, CHANGE)
        self.assertEqual(finding.writes[0][0], "/proc/sys/vm/dirty_bytes")
        self.assertEqual(finding.writes[0][1], str(1024000 * 1024 * 60 // 100))
        self.assertEqual(self.one("vm.dirty_background_ratio").writes,
                         [("/proc/sys/vm/dirty_background_ratio", "5")])

    def test_of_three_numbers_the_last_changes(self):
        self.assertEqual(self.one("net.ipv4.tcp_rmem").set_to, "4096 131072 16777216")

    def test_processors_with_one_value_are_one_row(self):
        found = self.found("cpu.governor")
        self.assertEqual({name: f.verdict for name, f in found.items()},
                         {"cpu 0-2": CHANGE, "cpu 3": OK})
        self.assertEqual(len(found["cpu 0-2"].writes), 3)
        self.assertEqual(list(self.found("cpu.governor", cores=[1])), ["cpu 1"])

    def test_only_idle_states_that_wake_slowly_count(self):
        finding = self.one("cpu.idle_states")
        self.assertEqual((finding.reading.subject, finding.verdict), ("C6, 133 µs", CHANGE))
        self.assertEqual([path for path, _ in finding.writes], [
            f"/sys/devices/system/cpu/cpu{cpu}/cpuidle/state2/disable" for cpu in range(3)])
        self.assertEqual(self.one("cpu.idle_states", cores=[3]).verdict, OK)

    def test_a_bracketed_choice_is_the_value(self):
        finding = self.one("memory.huge_pages")
        self.assertEqual((finding.reading.value, finding.set_to), ("always", "madvise"))
        self.assertEqual(readers.chosen("none"), "none")

    def test_the_clock_goes_to_tsc_only_where_the_kernel_has_it(self):
        self.assertEqual(self.one("clock.source").set_to, "tsc")
        base = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
        self.put(base, "hpet acpi_pm")
        finding = self.one("clock.source")
        self.assertEqual((finding.verdict, finding.writes), (BY_HAND, []))

    def test_numa_settings_do_not_matter_with_one_node(self):
        self.assertEqual(self.one("vm.zone_reclaim_mode").verdict, CHANGE)
        host = self.host()
        host.nodes = lambda: 1
        (setting,) = [s for s in SETTINGS if s.name == "vm.zone_reclaim_mode"]
        self.assertEqual(check(host, [setting])[0].verdict, OK)

    def test_interrupts_leave_the_cores_of_the_broker(self):
        self.assertEqual(self.one("irq.network").verdict, LOOK)
        finding = self.one("irq.network", cores=[1, 2])
        self.assertEqual(finding.writes, [("/proc/irq/40/smp_affinity_list", "0,3")])
        self.assertEqual(self.one("irq.network", cores=[2]).verdict, OK)
        all_cores = self.one("irq.network", cores=[0, 1, 2, 3])
        self.assertEqual((all_cores.verdict, all_cores.writes), (LOOK, []))

    def test_the_mount_of_a_log_directory_is_the_deepest_one(self):
        self.assertEqual(list(self.found("disk.file_system")), [LOGS])
        self.assertEqual(self.one("disk.file_system", log_dirs=["/var/lib/my"]).shown, "ext4")
        scratch = self.one("disk.file_system", log_dirs=["/scratch/x"])
        self.assertEqual((scratch.shown, scratch.verdict), ("tmpfs", BY_HAND))

    def test_mount_options(self):
        for name, shown in (("disk.atime", "atime"), ("disk.discard", "discard"),
                            ("disk.barrier", "off")):
            finding = self.one(name)
            self.assertEqual((finding.shown, finding.verdict), (shown, BY_HAND), name)
        self.assertEqual(self.one("disk.discard", log_dirs=["/scratch"]).verdict, OK)

    def test_the_disk_below_a_log_directory(self):
        scheduler = self.one("disk.scheduler")
        self.assertEqual((scheduler.reading.subject, scheduler.set_to), ("nvme0n1", "none"))
        self.assertEqual(self.one("disk.readahead_kb").verdict, CHANGE)
        cache = self.one("disk.write_cache")
        self.assertEqual((cache.verdict, cache.shown), (LOOK, "write back, with FUA"))
        self.put("/sys/devices/nvme0n1/queue/scheduler", "[none] mq-deadline")
        self.assertEqual(self.one("disk.scheduler").verdict, OK)

    def test_limits_are_those_of_the_broker_where_one_runs(self):
        self.assertEqual(self.one("limit.open_files").reading.subject, "this shell")
        self.put("/proc/123/comm", "millstream")
        self.put("/proc/123/limits", "Max open files  1024  1048576  files")
        finding = self.one("limit.open_files")
        self.assertEqual((finding.reading.subject, finding.verdict), ("broker, pid 123", OK))

    def test_locked_memory_matters_before_linux_5_12(self):
        self.assertEqual(self.one("limit.locked_memory").verdict, BY_HAND)
        self.put("/proc/sys/kernel/osrelease", "5.12.3")
        self.assertEqual(self.one("limit.locked_memory").verdict, OK)

    def test_io_uring_says_what_stands_in_its_way(self):
        self.assertEqual(self.one("io_uring").verdict, ABSENT)
        refused = self.one("io_uring", io_uring=lambda: "EPERM")
        self.assertIn("io_uring_disabled=0", refused.by_hand)
        self.put("/proc/sys/kernel/io_uring_disabled", "0")
        filtered = self.one("io_uring", io_uring=lambda: "EPERM")
        self.assertIn("tuning/seccomp", filtered.by_hand)
        self.assertEqual(self.one("io_uring", io_uring=lambda: "works").verdict, OK)

    def test_the_tightest_group_counts(self):
        quota = self.one("cgroup.cpu")
        self.assertEqual((quota.verdict, quota.shown),
                         (BY_HAND, "1.5 CPUs, stopped in 7 of 100 periods"))
        memory = self.one("cgroup.memory")
        self.assertEqual((memory.verdict, memory.shown), (LOOK, "512 MiB"))
        self.assertEqual(self.one("cgroup.io").verdict, BY_HAND)

    def test_groups_of_version_1(self):
        self.put("/proc/self/cgroup", "4:memory:/a\n3:cpu,cpuacct:/a")
        self.put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "200000")
        self.put("/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "50000")
        self.put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712")
        self.assertEqual(self.one("cgroup.cpu").reading.value, "4.000")
        self.assertEqual(self.one("cgroup.memory").verdict, OK)

    def test_the_command_prints_a_table_and_says_that_something_matters(self):
        code, out, _ = self.call(cli.check, "--log-dirs", LOGS)
        self.assertEqual(code, cli.HIGH_IS_WRONG)
        for words in ("vm.swappiness", "should be", "By hand:", "[disks]", "to change"):
            self.assertIn(words, out)
        _, wrong, _ = self.call(cli.check, "--wrong")
        self.assertNotIn("fs.nr_open", wrong)

    def test_a_narrow_terminal_gets_paragraphs_that_fit(self):
        findings = check(self.host(), SETTINGS)
        text = show.findings_text(findings, 80, False)
        self.assertLessEqual(max(len(line) for line in text.splitlines()), 80)
        self.assertIn("! vm.swappiness: 60\n    should be: 10 or less (matters: medium)", text)
        wide = show.findings_text(findings, 160, False)
        self.assertLessEqual(max(len(line) for line in wide.splitlines()), 160)
        for finding in findings:
            self.assertIn(finding.setting.name.split("_")[0], wide)

    def test_json_has_every_setting_with_its_commands(self):
        _, out, _ = self.call(cli.check, "--json", "--log-dirs", LOGS)
        rows = {row["setting"]: row for row in json.loads(out)["settings"]}
        self.assertEqual(set(rows), {setting.name for setting in SETTINGS})
        self.assertEqual(rows["vm.swappiness"]["commands"], ["sysctl -w vm.swappiness=1"])
        self.assertEqual(rows["memory.huge_pages"]["commands"],
                         ["echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"])

    def test_the_list_is_a_table_of_all_settings(self):
        code, out, _ = self.call(cli.check, "--list")
        self.assertEqual((code, len(out.splitlines())), (0, len(SETTINGS) + 2))

    def test_a_wrong_command_line_says_what_to_type(self):
        code, _, err = self.call(cli.check, "--cores", "a-b")
        self.assertEqual(code, 2)
        self.assertIn("give 0-3,6", err)
        code, _, err = self.call(cli.check, "--measure")
        self.assertEqual(code, 1)
        self.assertIn("leave out --root", err)


class Lookers(TestCase):
    def test_a_look_is_never_a_change(self):
        for setting in SETTINGS:
            if isinstance(setting.rule, Look):
                self.assertEqual(setting.set_to, "", setting.name)
