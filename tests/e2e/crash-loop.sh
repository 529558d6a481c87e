#!/usr/bin/env bash
# Kills a broker under load, again and again, and proves that no acknowledged record is lost, none is there twice and
# all are in order: while they are new, and once more from the beginning at the end.
#   tests/e2e/crash-loop.sh [KILLS]    for each back-end, with one and with two shards (20, or what KILLS says)
# First it proves that it would notice: records that are cut off while the broker is down must count as lost.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/e2e/lib/crash.sh"
kills=${1:-${KILLS:-20}}
work=$(mktemp -d)
load_pid=''
trap 'kill $load_pid 2>/dev/null || true; kill_broker; rm -rf "$work"' EXIT

# Loses records on purpose: every segment with records in it keeps its first bytes only. The broker must run with
# durability=os: the commit stream of the other durability holds a second copy, and restores the
# records cut here.
cut_segments() { # DATA
  local segment cut=0
  for segment in "$1"/loadgen-*/*.log; do
    (($(stat -c %b "$segment") * 512 > 4096)) || continue
    truncate -s 4096 "$segment"
    ((cut += 1))
  done
  ((cut > 0)) || die 'nothing to cut: the load has not begun'
}

notices_a_loss() {
  local dir=$work/self-test status=0 configs
  configs=("log.dirs=$dir/data" admin.listener= io.backend=epoll "shard.cores=$(processors 1)" durability=os)
  say 'a loss is noticed'
  start_broker "$dir" PLAINTEXT://127.0.0.1:0 "${configs[@]}"
  start_load "$dir/load" 6 4000
  sleep 3
  kill_broker
  cut_segments "$dir/data"
  restart_broker "$dir" "${configs[@]}"
  wait "$load_pid" || status=$?
  grep -E 'verified|errors' "$dir/load"
  [[ $status == 2 ]] || { cat "$dir/load"; die "records were cut off, and loadgen ended with status $status"; }
  kill_broker
}

survives() { # BACKEND SHARDS DURABILITY
  local name=$1-$2-$3 dir=$work/$1-$2-$3 done_kills=0 status=0 deadline
  local configs=("log.dirs=$dir/data" admin.listener= "io.backend=$1" "shard.cores=$(processors "$2")" "durability=$3")
  say "$1, $2 shards, durability=$3"
  start_broker "$dir" PLAINTEXT://127.0.0.1:0 "${configs[@]}"
  deadline=$((SECONDS + kills + 1))
  start_load "$dir/load" $((kills + 1)) 4000
  while ((SECONDS < deadline && done_kills < kills)); do
    random_pause
    kill_broker
    restart_broker "$dir" "${configs[@]}"
    ((done_kills += 1))
  done
  wait "$load_pid" || status=$?
  grep -E 'acknowledged in|verified|errors' "$dir/load" || true
  if [[ $status != 0 ]]; then
    cat "$dir/load" "$broker_log"
    die "$name: after $done_kills kills loadgen ended with status $status"
  fi
  ((done_kills * 2 >= kills)) || die "$name: only $done_kills of $kills kills: the machine is too busy"
  stop_broker
  echo "$done_kills kills survived"
}

notices_a_loss
backends=(epoll)
if has_io_uring "$work/probe"; then backends+=(io_uring); else echo 'no io_uring here: epoll only'; fi
for backend in "${backends[@]}"; do
  survives "$backend" 1 fsync
  if (($(nproc) >= 2)); then survives "$backend" 2 fsync; fi
done
survives "${backends[-1]}" 1 os
