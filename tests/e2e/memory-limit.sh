#!/usr/bin/env bash
# Abuses a broker in a memory cgroup of 256 MiB: it must live through each. The table is that of docs/reliability.md.
#   tests/e2e/memory-limit.sh [ABUSE...]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export MILLSTREAM=${MILLSTREAM:-$root/target/release/millstream} LOADGEN=${LOADGEN:-$root/target/release/loadgen}
exec python3 "$root/tests/e2e/abuse/run.py" "$@"
