#!/usr/bin/env bash
# One data directory, two brokers in turn: Apache Kafka starts on what Millstream has written, takes records, and hands
# back. Records, offsets and configs must be the same on every side.
#   tests/e2e/takeover.sh    KAFKA is the command that runs Kafka's tools (../shared/peers/kafka/kafka)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/e2e/lib/crash.sh"
kafka=${KAFKA:-$root/../shared/peers/kafka/kafka}
[[ -x $kafka ]] || skip "there is no $kafka to run Apache Kafka: set KAFKA"
work=$(mktemp -d)
kafka_pid=''
trap 'kill -KILL $kafka_pid 2>/dev/null || true; kill_broker; rm -rf "$work"' EXIT
configs=("log.dirs=$work/data" admin.listener= offsets.topic.num.partitions=4)
partitions=3
# Both brokers take this port in turn, and the controller of Apache Kafka the next one.
port=${PORT:-$((23800 + RANDOM % 90 * 2))}

load() { # records that are verified while they are consumed, whichever broker serves
  "$loadgen" run --bootstrap "$bootstrap" --topic shared --partitions "$partitions" --replication-factor 1 --rate 2000 --duration 3s \
    --connections 3 --consumers 1 --idempotence --quiet >"$work/load" 2>&1 || { cat "$work/load"; die "loadgen against $1"; }
}

# What tools can ask: the ends of the log, what is in it, the group's offsets, the topic's config.
ask() {
  "$kafka" get-offsets --bootstrap-server "$bootstrap" --topic shared | sort
  "$kafka" consumer-groups --bootstrap-server "$bootstrap" --describe --group readers 2>/dev/null |
    awk '$1 == "readers" { print $1, $2, $3, $4, $5 }' | sort
  "$kafka" configs --bootstrap-server "$bootstrap" --describe --entity-type topics --entity-name shared | grep -o 'retention.ms=[0-9]*' | head -n 1
  "$kafka" console-consumer --bootstrap-server "$bootstrap" --topic shared --from-beginning --timeout-ms 10000 \
    --property print.partition=true --property print.offset=true --property print.value=false 2>/dev/null | sort | md5sum
}

start_millstream() { # LISTENER
  start_broker "$work/millstream" "$1" "${configs[@]}"
}

start_kafka() {
  local deadline=$((SECONDS + 90))
  cat >"$work/server.properties" <<CONFIG
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:$((port + 1))
log.dirs=$work/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
CONFIG
  : >"$work/kafka.log"
  "$kafka" server "$work/server.properties" >"$work/kafka.log" 2>&1 </dev/null &
  kafka_pid=$!
  until grep -q 'Kafka Server started' "$work/kafka.log"; do
    kill -0 "$kafka_pid" 2>/dev/null && ((SECONDS < deadline)) || { tail -n 40 "$work/kafka.log"; die 'Apache Kafka does not start on our directory'; }
    sleep 0.2
  done
  # A registration anew gives every partition a new leader epoch. Where that comes while the offsets are being loaded for
  # the one before, Kafka says that it has stopped, and loads again; `same` sees whether the offsets are there.
  if grep -E ' ERROR |FATAL' "$work/kafka.log" | grep -v 'Stopped loading records from __consumer_offsets'; then
    die 'Apache Kafka finds fault with our directory'
  fi
}

stop_kafka() {
  kill -TERM "$kafka_pid"
  wait "$kafka_pid" || true
  kafka_pid=''
}

same() { # WHO
  ask >"$work/now"
  diff "$work/before" "$work/now" || die "$1 sees something else"
}

say 'Millstream'
start_millstream PLAINTEXT://127.0.0.1:$port
load Millstream
"$kafka" configs --bootstrap-server "$bootstrap" --alter --entity-type topics --entity-name shared --add-config retention.ms=777000000 >/dev/null
"$kafka" console-consumer --bootstrap-server "$bootstrap" --topic shared --group readers --from-beginning \
  --max-messages 1000 --timeout-ms 60000 >/dev/null 2>&1 || die 'console-consumer'
ask | tee "$work/before"
stop_broker

say 'Apache Kafka on the same directory'
start_kafka
same 'Apache Kafka'
load 'Apache Kafka'
ask >"$work/before"
stop_kafka

say 'Millstream again'
start_millstream "PLAINTEXT://$bootstrap"
same Millstream
load 'Millstream again'
stop_broker
echo 'both brokers read and wrote the same directory in turn'
