"""The seccomp profile, and the parts of `check --measure` that need no measuring."""
from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import tempfile
from unittest import TestCase

from hosttune import measure, seccomp
from hosttune.judge import check
from hosttune.settings import SETTINGS
from .fixture import LOGS, FakeHost

DEFAULT = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
    "syscalls": [
        {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["mount", "io_uring_setup"], "action": "SCMP_ACT_ALLOW",
         "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
         "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64"]}},
        {"names": ["cacheflush"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
    ],
}


class Seccomp(TestCase):
    def test_the_three_calls_are_allowed_and_nothing_else_changes(self):
        made = seccomp.with_io_uring(DEFAULT)
        self.assertEqual(made["syscalls"][:-1], DEFAULT["syscalls"])
        self.assertEqual(made["syscalls"][-1],
                         {"names": seccomp.CALLS, "action": "SCMP_ACT_ALLOW"})
        self.assertEqual(seccomp.with_io_uring(made), made)

    def test_a_flat_profile_has_no_rule_of_another_machine_or_for_capabilities(self):
        made = seccomp.flat(seccomp.with_io_uring(DEFAULT), "x86_64")
        names = [name for rule in made["syscalls"] for name in rule["names"]]
        self.assertEqual(names, ["read", "write", "clone3", "arch_prctl", *seccomp.CALLS])
        self.assertEqual(made["architectures"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        self.assertFalse(any("includes" in rule for rule in made["syscalls"]))
        with self.assertRaises(ValueError):
            seccomp.flat(DEFAULT, "vax")

    def test_another_file_is_refused_with_where_to_find_the_profile(self):
        for text in ("{}", "[]", "not json"):
            with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                file.write(text)
                file.flush()
                err = io.StringIO()
                with contextlib.redirect_stderr(err):
                    self.assertEqual(seccomp.main([file.name]), 1)
                self.assertIn(seccomp.DOCKERS, err.getvalue())


class Measured(FakeHost):
    def test_quantiles_are_of_the_sorted_values(self):
        found = measure.quantiles([float(n) for n in range(100, 0, -1)])
        self.assertEqual(found, {"count": 100, "p50": 51.0, "p99": 100.0, "max": 100.0})
        self.assertIsNone(measure.quantiles([])["p50"])

    def test_figures_stand_beside_their_settings(self):
        findings = check(self.host(), SETTINGS)
        times = {"count": 9, "p50": 80.0, "p99": 90.0, "max": 99.0}
        measure.attach(findings, {
            "timer_late_us": times,
            "clock_read_ns": 31.4,
            "idle_states": {"as_set_late_us": times, "none_deep_late_us": None},
            "dirs": {LOGS + "/a": {"flush_4k_us": times, "write_cache_words": "a cache"}},
        })
        measured = {f.setting.name: f.measured for f in findings if f.measured}
        self.assertEqual(measured["clock.source"], "one read: 31 ns")
        self.assertEqual(measured["disk.write_cache"],
                         "4 KiB flush: p50 80 µs, p99 90 µs, max 99 µs; suggests a cache")
        self.assertIn("p99 90 µs", measured["cpu.idle_states"])

    def test_no_figure_stands_beside_what_the_host_does_not_have(self):
        os.remove(self.root + "/sys/devices/system/clocksource/clocksource0/current_clocksource")
        findings = check(self.host(), SETTINGS)
        measure.attach(findings, {"clock_read_ns": 31.4})
        self.assertEqual([f.setting.name for f in findings if f.measured], [])

    def test_a_selftest_that_fails_is_said(self):
        path = os.path.join(self.root, "loadgen")
        said = '{"disk": {}, "error": "no room"}'
        self.put("/loadgen", f"#!/bin/sh\necho '{said}' > \"$5\"\nexit 1")
        os.chmod(path, stat.S_IRWXU)
        self.assertEqual(measure.selftest(path, "/x")["error"], "no room")
        self.put("/loadgen", "#!/bin/sh\nexit 1")
        self.assertIn("selftest.json", measure.selftest(path, "/x")["error"])

    def test_a_profile_is_printed(self):
        self.put("/default.json", json.dumps(DEFAULT))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(seccomp.main([self.root + "/default.json"]), 0)
        self.assertEqual(json.loads(out.getvalue()), seccomp.with_io_uring(DEFAULT))
