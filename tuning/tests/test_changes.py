"""apply and undo, on a host of fixture files."""
from __future__ import annotations

import json
import os

from hosttune import changes, cli
from hosttune.changes import State
from .fixture import FILES, LOGS, FakeHost

SWAPPINESS, THP = "/proc/sys/vm/swappiness", "/sys/kernel/mm/transparent_hugepage/enabled"


class Changes(FakeHost):
    def setUp(self) -> None:
        super().setUp()
        self.state = self.root + changes.STATE

    def apply(self, *words: str):
        return self.call(cli.apply, "--log-dirs", LOGS, *words)

    def undo(self, *words: str):
        return self.call(cli.undo, *words)

    def everything(self):
        """All that is below /proc, /sys and /etc."""
        found = {}
        for top in ("proc", "sys", "etc"):
            for folder, _, names in os.walk(os.path.join(self.root, top)):
                for name in names:
                    path = os.path.join(folder, name)
                    found[path] = self.get(path[len(self.root):])
        return found

    def test_without_yes_commands_are_printed_and_nothing_changes(self):
        before = self.everything()
        for words in ((), ("--dry-run",), ("--all",), ("vm.swappiness", "--persist")):
            code, out, _ = self.apply(*words)
            self.assertEqual(code, 0)
            self.assertIn("sysctl -w vm.swappiness=1", out)
        self.assertEqual(self.everything(), before)
        self.assertFalse(os.path.exists(self.state))

    def test_yes_alone_does_nothing(self):
        before = self.everything()
        code, _, err = self.apply("--yes")
        self.assertEqual(code, 1)
        self.assertIn("--all", err)
        self.assertEqual(self.everything(), before)

    def test_only_what_is_named_changes_and_undo_brings_it_back(self):
        before = self.everything()
        code, out, _ = self.apply("--yes", "vm.swappiness", "net.ipv4.tcp_rmem")
        self.assertEqual(code, 0, out)
        self.assertEqual(self.get(SWAPPINESS), "1")
        self.assertEqual(self.get("/proc/sys/net/ipv4/tcp_rmem"), "4096 131072 16777216")
        changed = {path for path, text in self.everything().items() if before[path] != text}
        self.assertEqual(len(changed), 2)
        self.assertIn("until the next reboot: 2 of 2", out)
        code, out, _ = self.undo()
        self.assertIn("sysctl -w vm.swappiness=60", out)
        self.assertEqual(self.get(SWAPPINESS), "1")
        code, out, _ = self.undo("--yes")
        self.assertEqual((code, self.get(SWAPPINESS)), (0, "60"))
        self.assertIn("No reboot is needed", out)
        self.assertFalse(os.path.exists(self.state))

    def test_a_file_of_choices_is_put_back_by_its_choice(self):
        # The kernel answers with all choices: here a file keeps what was written.
        self.apply("--yes", "memory.huge_pages")
        self.assertEqual(self.get(THP), "madvise")
        self.undo("--yes")
        self.assertEqual(self.get(THP), "always")

    def test_all_changes_all_that_apply_can_and_a_second_one_has_nothing_to_do(self):
        code, out, _ = self.apply("--yes", "--all", "--cores", "1,2")
        self.assertEqual(code, 0, out)
        self.assertEqual(self.get("/proc/irq/40/smp_affinity_list"), "0,3")
        self.assertEqual(self.get("/sys/devices/nvme0n1/queue/scheduler"), "none")
        _, out, _ = self.apply("--yes", "--all", "--cores", "1,2")
        self.assertIn("there is nothing to change", out)
        code, _, _ = self.undo("--yes")
        self.assertEqual(code, 0)
        for path, text in FILES.items():
            after = changes.chosen(text).split()
            self.assertEqual(changes.chosen(self.get(path)).split(), after, path)

    def test_undo_brings_what_the_first_apply_found(self):
        self.apply("--yes", "vm.swappiness")
        self.put(SWAPPINESS, "30")
        self.apply("--yes", "vm.swappiness")
        self.undo("--yes")
        self.assertEqual(self.get(SWAPPINESS), "60")

    def test_what_was_changed_since_is_left_alone_unless_forced(self):
        self.apply("--yes", "vm.swappiness")
        self.put(SWAPPINESS, "5")
        code, out, _ = self.undo("--yes")
        self.assertEqual((code, self.get(SWAPPINESS)), (1, "5"))
        self.assertIn("left alone", out)
        code, _, _ = self.undo("--yes", "--force")
        self.assertEqual((code, self.get(SWAPPINESS)), (0, "60"))

    def test_after_a_reboot_undo_says_so(self):
        self.apply("--yes", "vm.swappiness")
        self.put("/proc/sys/kernel/random/boot_id", "boot-two")
        self.put(SWAPPINESS, "60")
        code, out, _ = self.undo("--yes")
        self.assertEqual(code, 0)
        self.assertIn("started anew", out)
        self.assertIn("is 60 already", out)

    def test_persist_writes_the_sysctls_of_every_apply_and_undo_removes_them(self):
        self.apply("--yes", "vm.swappiness", "memory.huge_pages")
        code, out, _ = self.apply("--yes", "net.core.somaxconn", "--persist")
        self.assertEqual(code, 0, out)
        text = self.get(changes.SYSCTL_FILE)
        self.assertIn("vm.swappiness = 1\n", text + "\n")
        self.assertIn("net.core.somaxconn = 4096", text)
        self.assertNotIn("hugepage", text)
        code, out, _ = self.undo("--yes")
        self.assertEqual(code, 0, out)
        self.assertFalse(os.path.exists(self.root + changes.SYSCTL_FILE))
        self.assertFalse(os.path.exists(self.state))

    def test_a_file_that_is_not_of_apply_is_not_overwritten(self):
        self.put(changes.SYSCTL_FILE, "vm.swappiness = 7")
        code, _, err = self.apply("--yes", "vm.swappiness", "--persist")
        self.assertEqual(code, 1)
        self.assertIn("move it away", err)
        self.assertEqual(self.get(changes.SYSCTL_FILE), "vm.swappiness = 7")

    def test_nothing_changes_where_what_was_there_before_cannot_be_kept(self):
        before = self.everything()
        code, _, err = self.apply("--yes", "--all", "--state", "/dev/null/before.json")
        self.assertEqual(code, 1)
        self.assertIn("--state FILE", err)
        self.assertEqual(self.everything(), before)

    def test_a_value_that_the_kernel_refuses_is_said_and_the_others_go_on(self):
        # A link to a device that takes no bytes, as a managed interrupt refuses its list.
        path = self.root + "/proc/irq/40/smp_affinity_list"
        host = self.host(cores=[1])
        state = State(self.state)
        writes = [changes.Write("a", "/proc/irq/40/smp_affinity_list", "0"),
                  changes.Write("b", SWAPPINESS, "1")]
        os.remove(path)
        os.symlink("/dev/full", path)
        changed = changes.current
        try:
            changes.current = lambda host, name: "0-1" if "irq" in name else changed(host, name)
            done = changes.apply(host, state, writes)
        finally:
            changes.current = changed
        self.assertEqual([bool(error) for _, error in done], [True, False])
        self.assertEqual((list(state.changes), self.get(SWAPPINESS)), ([SWAPPINESS], "1"))

    def test_a_value_that_the_kernel_changes_is_an_error_and_can_be_undone(self):
        host, state, read = self.host(), State(self.state), changes.current

        def kernel(host, path):
            # It takes 1 for 3.
            found = read(host, path)
            return "3" if found == "1" else found

        changes.current = kernel
        try:
            ((_, error),) = changes.apply(host, state, [changes.Write("a", SWAPPINESS, "1")])
            self.assertIn("keeps 3", error)
            (line,) = changes.undo(host, State.load(self.state), really=True)
        finally:
            changes.current = read
        self.assertTrue(line.is_done)
        self.assertEqual(self.get(SWAPPINESS), "60")

    def test_a_state_file_that_is_damaged_stops_everything(self):
        os.makedirs(os.path.dirname(self.state))
        with open(self.state, "w", encoding="utf-8") as file:
            file.write("{")
        for command in (self.apply, self.undo):
            code, _, err = command("--yes", *(["vm.swappiness"] if command == self.apply else []))
            self.assertEqual(code, 1)
            self.assertIn("move it away", err)
        self.assertEqual(self.get(SWAPPINESS), "60")

    def test_an_unknown_name_is_refused(self):
        code, _, err = self.apply("--yes", "vm.swapiness")
        self.assertEqual(code, 1)
        self.assertIn("check --list", err)

    def test_undo_without_apply_has_nothing_to_do(self):
        code, out, _ = self.undo("--yes")
        self.assertEqual(code, 0)
        self.assertIn("nothing to undo", out)

    def test_the_state_file_is_json_with_the_values_before(self):
        self.apply("--yes", "vm.swappiness")
        with open(self.state, encoding="utf-8") as file:
            kept = json.load(file)
        self.assertEqual(kept["changes"][SWAPPINESS],
                         {"setting": "vm.swappiness", "before": "60", "applied": "1"})
