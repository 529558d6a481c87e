#!/usr/bin/env bash
# Kills a broker under transactional load of Apache Kafka's own clients, again and again: a read_committed consumer sees
# what was committed, whole, once and with its offset, nothing that was aborted, and it comes to the end of every
# partition: no transaction hangs beyond its timeout.
#   tests/e2e/transactions.sh [KILLS]    on each back-end (10, or what KILLS says)
# KAFKA_LIBS is the folder with the jars of the clients (../shared/peers/kafka/install finds it).
# At last it proves that it would notice: read_uncommitted, the same records must count as wrong.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/e2e/lib/crash.sh"
kills=${1:-${KILLS:-10}}
install=$root/../shared/peers/kafka/install
command -v javac >/dev/null || skip 'there is no JDK to run the clients'
[[ -n ${KAFKA_LIBS:-} || -x $install ]] || skip 'there are no clients of Apache Kafka: set KAFKA_LIBS'
libs=${KAFKA_LIBS:-$("$install")}
work=$(mktemp -d)
load_pid=''
trap 'kill $load_pid 2>/dev/null || true; kill_broker; rm -rf "$work"' EXIT
javac -cp "$libs/*" -d "$work/classes" "$root/tests/e2e/lib/Transactions.java"

transactions() { exec java -Xmx300m -cp "$work/classes:$libs/*" Transactions "$@"; }

# However slow the machine: each kill meets a load that flows, and each restart lets it flow again.
await_commits() { # LOAD_LOG
  local before deadline=$((SECONDS + 60))
  before=$(grep -c '^commit$' "$1" || true)
  until (($(grep -c '^commit$' "$1" || true) >= before + 5)); do
    ((SECONDS < deadline)) || { tail -n 5 "$1"; die 'nothing is committed for a minute'; }
    sleep 0.1
  done
}

survives() { # BACKEND DURABILITY
  local name=$1-$2 dir=$work/$1-$2 done_kills=0
  local configs=("log.dirs=$dir/data" admin.listener= "io.backend=$1" "shard.cores=$(processors 1)" "durability=$2"
    offsets.topic.num.partitions=4 transaction.state.log.num.partitions=4)
  say "$1, durability=$2"
  start_broker "$dir" PLAINTEXT://127.0.0.1:0 "${configs[@]}"
  (transactions load "$bootstrap" "$dir/journal" "$dir/stop") >"$dir/load" 2>&1 &
  load_pid=$!
  while ((done_kills < kills)); do
    await_commits "$dir/load"
    random_pause
    kill_broker
    restart_broker "$dir" "${configs[@]}"
    ((done_kills += 1))
  done
  await_commits "$dir/load"
  touch "$dir/stop"
  wait "$load_pid" || { tail -n 20 "$dir/load"; die "$name: the load fails"; }
  load_pid=''
  tail -n 1 "$dir/load"
  grep -q 'committed=' "$dir/load" || die "$name: nothing was committed"
  # The last transactions are open: their timeout ends them.
  (transactions check "$bootstrap" "$dir/journal" read_committed) >"$dir/check" 2>&1 ||
    { grep -v ' WARN \| INFO ' "$dir/check" || true; die "$name: after $done_kills kills not what was committed is read"; }
  tail -n 1 "$dir/check"
  ! (transactions check "$bootstrap" "$dir/journal" read_uncommitted) >"$dir/check" 2>&1 ||
    die "$name: records of aborted transactions are not noticed"
  stop_broker
  echo "$done_kills kills survived"
}

backends=(epoll)
if has_io_uring "$work/probe"; then backends+=(io_uring); else echo 'no io_uring here: epoll only'; fi
for backend in "${backends[@]}"; do survives "$backend" fsync; done
survives "${backends[-1]}" os
