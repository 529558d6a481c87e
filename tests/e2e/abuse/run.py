#!/usr/bin/env python3
"""Abuses a broker in a memory cgroup, with a neighbour of 1,000 records a second, and prints a table.

    MILLSTREAM=PROGRAM LOADGEN=PROGRAM run.py [--limit MIB] [--seconds S] [ABUSE...]

Each abuse has a broker of its own, on two cores. Exits with 1 if one ended its broker, with 77 where there is no memory
cgroup (version 1) to write to.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import abuses

GROUPS = pathlib.Path("/sys/fs/cgroup/memory")


class Broker:
    def __init__(self, limit_mib, scratch):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.group = GROUPS / f"millstream-abuse-{os.getpid()}-{self.port}"
        self.group.mkdir()
        (self.group / "memory.limit_in_bytes").write_text(str(limit_mib << 20))
        self.out, self.log = scratch / "out", scratch / "log"
        configs = {"listeners": f"PLAINTEXT://{self.address}", "admin.listener": "", "log.dirs": str(scratch / "data"),
                   "shard.cores": "0,1", "offsets.topic.num.partitions": "4"}
        command = [os.environ["MILLSTREAM"], "serve"]
        command += [part for k, v in configs.items() for part in ("--override", f"{k}={v}")]
        join = lambda: (self.group / "cgroup.procs").write_text(str(os.getpid()))
        with open(self.out, "w") as out, open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=out, stderr=log, preexec_fn=join)
        while "millstream ready" not in self.out.read_text():
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text()[-500:])
            time.sleep(0.02)

    def is_alive(self):
        return self.process.poll() is None

    def anonymous_mib(self):
        """Resident memory without pages of files, now."""
        try:
            lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
            return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) >> 10
        except OSError:
            return 0

    def counted_mib(self):
        """What the cgroup counts without the page cache (anonymous memory and the kernel's), and how often its limit was met."""
        stat = dict(line.split() for line in (self.group / "memory.stat").read_text().splitlines())
        kernel = int((self.group / "memory.kmem.usage_in_bytes").read_text())
        return (int(stat["total_rss"]) + kernel) >> 20, int((self.group / "memory.failcnt").read_text())

    def closed(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return sum("others wait for memory" in line for line in lines)

    def end(self):
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        for _ in range(50):
            try:
                self.group.rmdir()
                break
            except OSError:
                time.sleep(0.1)
        return code


def try_one(abuse, limit_mib, seconds):
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="millstream-abuse-"))
    broker = Broker(limit_mib, scratch)
    try:
        neighbour = [os.environ["LOADGEN"], "run", "--quiet", "--bootstrap", broker.address, "--topic", "neighbour",
                     "--partitions", "2", "--rate", "1000", "--duration", f"{seconds}s", "--json", str(scratch / "json")]
        neighbour = subprocess.Popen(neighbour, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        abuser = subprocess.Popen([sys.executable, __file__, "--abuse", abuse.__name__, broker.address, str(seconds)],
                                  stderr=subprocess.DEVNULL)
        peak = counted = 0
        while abuser.poll() is None and broker.is_alive():
            peak, counted = max(peak, broker.anonymous_mib()), max(counted, broker.counted_mib()[0])
            time.sleep(0.1)
        try:
            neighbour.wait(30)
        except subprocess.TimeoutExpired:
            neighbour.kill()
        alive = broker.is_alive()
        closed, code = broker.closed(), broker.end()
        try:
            p99 = find(json.loads((scratch / "json").read_text()), "p99")
        except (OSError, ValueError):
            p99 = None
        if not alive or os.environ.get("KEEP_LOG"):
            print(broker.log.read_text(errors="replace")[-2000:], file=sys.stderr)
        return alive, peak, counted, p99, closed, code
    finally:
        if abuser.poll() is None:
            abuser.kill()
        broker.end()
        shutil.rmtree(scratch, ignore_errors=True)


def find(value, name):
    """The first number whose name begins so, wherever it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.startswith(name) and isinstance(inner, (int, float)):
                return inner
            found = find(inner, name)
            if found is not None:
                return found
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--abuse", nargs=3)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.abuse:
        name, address, seconds = options.abuse
        return getattr(abuses, name)(address, int(seconds))
    if not os.access(GROUPS, os.W_OK) or not (GROUPS / "memory.limit_in_bytes").exists():
        print("no memory cgroup (version 1) to write to")
        sys.exit(77)
    print("| abuse | alive | anonymous MiB | with the kernel's | neighbour's p99 | closed for memory | exit code |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    all_alive = True
    for abuse in [a for a in abuses.ALL if not options.names or a.__name__ in options.names]:
        alive, peak, counted, p99, closed, code = try_one(abuse, options.limit, options.seconds)
        all_alive &= alive
        name = abuse.__name__.replace("_", " ")
        print(f"| {name} | {'yes' if alive else 'NO'} | {peak} | {counted} | {p99} | {closed} | {code} |", flush=True)
    sys.exit(not all_alive)


main()
