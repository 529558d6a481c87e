"""A seccomp profile for containers: the runtime's default, and io_uring beside it.

Owns: the one rule that is added. Never: removes a rule, or fetches a profile: the default one
changes with each release, and the user's is the right one.
"""
from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import sys
from typing import Any, Dict, List, Optional

CALLS = ["io_uring_enter", "io_uring_register", "io_uring_setup"]
ALLOW = "SCMP_ACT_ALLOW"
INSTALLED = "/usr/share/containers/seccomp.json"  # Podman's and CRI-O's
DOCKERS = "https://raw.githubusercontent.com/moby/profiles/main/seccomp/default.json"
MACHINES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}
HINT = (
    f"give the default profile of your container runtime: Docker's is at {DOCKERS}, Podman's at "
    f"{INSTALLED}"
)


def with_io_uring(profile: Dict[str, Any]) -> Dict[str, Any]:
    """The profile with the three calls allowed; as it was where it allows them already."""
    if not isinstance(profile.get("syscalls"), list) or "defaultAction" not in profile:
        raise ValueError("it is no seccomp profile: it has no `syscalls` or no `defaultAction`")
    made = copy.deepcopy(profile)
    allowed = {
        name for rule in made["syscalls"]
        if rule.get("action") == ALLOW and not rule.get("args")
        and not any((rule.get("includes") or {}).values())
        and not any((rule.get("excludes") or {}).values())
        for name in rule.get("names", [])
    }
    missing = [name for name in CALLS if name not in allowed]
    if missing:
        made["syscalls"].append({"names": missing, "action": ALLOW})
    return made


def flat(profile: Dict[str, Any], machine: str) -> Dict[str, Any]:
    """What containerd reads for Kubernetes: the rules of one architecture, for a container without
    capabilities. containerd does not know `includes` and `excludes`, and would take all rules."""
    if machine not in MACHINES:
        raise ValueError(f"there is no --flat for {machine}, only for {', '.join(MACHINES)}")
    short, long = MACHINES[machine]
    rules: List[Dict[str, Any]] = []
    for rule in profile["syscalls"]:
        includes, excludes = rule.get("includes") or {}, rule.get("excludes") or {}
        is_for_others = includes.get("arches") and short not in includes["arches"]
        if includes.get("caps") or is_for_others or short in (excludes.get("arches") or []):
            continue
        kept = ("names", "action", "args", "errnoRet")
        rules.append({key: rule[key] for key in kept if rule.get(key) is not None})
    made = {key: profile[key] for key in ("defaultAction", "defaultErrnoRet") if key in profile}
    names = [long]
    for entry in profile.get("archMap") or []:
        if entry.get("architecture") == long:
            names += entry.get("subArchitectures") or []
    return dict(made, architectures=names, syscalls=rules)


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(
        prog="seccomp", description="Prints a seccomp profile for a Millstream container: the "
        "default profile of the container runtime, and io_uring allowed.",
    )
    parser.add_argument("default", metavar="DEFAULT.json", nargs="?", default=INSTALLED,
                        help=f"the runtime's default profile (default: {INSTALLED}); - is stdin")
    parser.add_argument("--flat", action="store_true",
                        help="for Kubernetes with containerd: this machine's rules alone")
    parser.add_argument("--output", metavar="FILE", help="writes there (default: stdout)")
    options = parser.parse_args(arguments)
    try:
        if options.default == "-":
            profile = json.load(sys.stdin)
        else:
            with open(options.default, encoding="utf-8") as file:
                profile = json.load(file)
        made = with_io_uring(profile)
        if options.flat:
            made = flat(made, platform.machine())
        text = json.dumps(made, indent=2) + "\n"
        if options.output:
            with open(options.output + ".tmp", "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(options.output + ".tmp", options.output)
        else:
            sys.stdout.write(text)
    except (OSError, ValueError, AttributeError) as error:
        print(f"seccomp: {options.default}: {error}; {HINT}", file=sys.stderr)
        return 1
    return 0
