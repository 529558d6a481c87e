#!/usr/bin/env bash
# Lets Apache Kafka's own dump tool read every file that a broker has written: segments, indexes, producer snapshots,
# the metadata log and the committed offsets. Fails on any complaint.
#   tests/e2e/dump-log.sh    KAFKA is the command that runs Kafka's tools (../shared/peers/kafka/kafka)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/e2e/lib/crash.sh"
kafka=${KAFKA:-$root/../shared/peers/kafka/kafka}
[[ -x $kafka ]] || skip "there is no $kafka to run Apache Kafka's tools: set KAFKA"
work=$(mktemp -d)
data=$work/data
trap 'kill_broker; rm -rf "$work"' EXIT
export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx256m}
configs=("log.dirs=$data" admin.listener= log.segment.bytes=1048576 log.index.interval.bytes=512 offsets.topic.num.partitions=4
  log.cleaner.backoff.ms=200 log.cleaner.min.cleanable.ratio=0.01 log.flush.offset.checkpoint.interval.ms=500)

load() { # TOPIC RECORD_SIZE [ARGUMENT]...
  local topic=$1 size=$2
  shift 2
  echo "load: $topic"
  "$loadgen" run --bootstrap "$bootstrap" --topic "$topic" --partitions 4 --connections 2 --consumers 1 --rate 5000 \
    --duration 3s --record-size "$size" --quiet "$@" >"$work/load" 2>&1 || { cat "$work/load"; die "loadgen on $topic"; }
}

say 'load'
start_broker "$work" PLAINTEXT://127.0.0.1:0 "${configs[@]}"
for codec in none gzip snappy lz4 zstd; do load "codec-$codec" 300 --compression "$codec"; done
load idempotent 300 --idempotence
load large 4000 --idempotence --batch-size 200000
say 'a consumer group'
"$kafka" console-consumer --bootstrap-server "$bootstrap" --topic idempotent --group readers --from-beginning \
  --max-messages 2000 --timeout-ms 60000 >/dev/null 2>"$work/consumer.log" || { cat "$work/consumer.log"; die 'console-consumer'; }
grep -q 'Processed a total of 2000 messages' "$work/consumer.log" || { cat "$work/consumer.log"; die 'console-consumer'; }
"$kafka" topics --bootstrap-server "$bootstrap" --create --topic configured --partitions 3 --config retention.ms=100000 >/dev/null
"$kafka" configs --bootstrap-server "$bootstrap" --alter --entity-type topics --entity-name configured --add-config max.message.bytes=2000 >/dev/null
"$kafka" topics --bootstrap-server "$bootstrap" --delete --topic codec-none >/dev/null
say 'a compacted topic'
"$kafka" topics --bootstrap-server "$bootstrap" --create --topic compacted --partitions 4 --config cleanup.policy=compact >/dev/null
"$loadgen" run --bootstrap "$bootstrap" --topic compacted --partitions 4 --rate 20000 --duration 3s --record-size 300 --keys 100 \
  --idempotence --quiet >"$work/load" 2>&1 || { cat "$work/load"; die 'loadgen on compacted'; }
closed_bytes() { find "$data" -path '*/compacted-*' -name '*.log' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'; }
written=$(closed_bytes)
for ((wait = 0; wait < 300 && $(closed_bytes) * 2 > written; wait++)); do sleep 0.1; done
(($(closed_bytes) * 2 <= written)) || die "compacted: of $written bytes $(closed_bytes) are left"
stop_broker

# What the tool says when it finds fault. It ends with status 0 all the same. Of every segment but the first it says
# "-1 is followed by N", which means nothing.
complaints='mismatch|out of order|^ +[0-9]+ is followed by|corrupt|invalid|exception|could not|error|isvalid: false|crc: .*false'
dump() { # NAME FILES [ARGUMENT]...
  local name=$1 files=$2
  shift 2
  "$kafka" dump-log --files "$files" "$@" >"$work/dump-$name" 2>&1 || { tail -n 20 "$work/dump-$name"; die "dump-log fails on $name"; }
  # Kafka names its fields errorCode, isvalid and the like in plain lines; payloads are not printed for records.
  if grep -iE "$complaints" "$work/dump-$name" | grep -viE 'isvalid: true|Snapshot end offset'; then
    die "Apache Kafka finds fault with $name: see the lines above"
  fi
}

# The tool must be able to find fault at all: an entry of a time index, altered.
notices_a_fault() {
  local segment
  segment=$(find "$data"/large-0 -name '*.timeindex' -size +0 | sort | head -n 1)
  mkdir "$work/damaged"
  cp "${segment%.timeindex}".{log,index,timeindex} "$work/damaged"
  printf '\0\0\0\1\0\0\0\1' | dd of="$work/damaged/$(basename "$segment")" bs=1 seek=12 conv=notrunc status=none
  "$kafka" dump-log --files "$work/damaged/$(basename "$segment")" --verify-index-only >"$work/damaged/dump" 2>&1 || true
  grep -qiE "$complaints" "$work/damaged/dump" || { cat "$work/damaged/dump"; die 'a damaged index was not noticed'; }
}

join() { paste -sd, -; }
say 'Apache Kafka reads it'
notices_a_fault
# Of these offsets are missing, as they should be.
dense=$complaints complaints=${complaints/'|^ +[0-9]+ is followed by'/}
find "$data" -path '*/compacted-*' -name '*.log' | sort >"$work/logs"
dump compacted "$(join <"$work/logs")" --deep-iteration
(($(grep -c ' is followed by ' "$work/dump-compacted" || true) > 0)) || die 'no offsets are missing: nothing was compacted'
complaints=$dense
find "$data" -maxdepth 2 -name '*.log' ! -path '*/__*' ! -path '*/compacted-*' | sort >"$work/logs"
(($(wc -l <"$work/logs") > 24)) || die "only $(wc -l <"$work/logs") segments: the load should have rolled some"
dump segments "$(join <"$work/logs")" --deep-iteration
records=$(grep -c '^| offset:' "$work/dump-segments" || true)
batches=$(grep -c '^baseOffset:' "$work/dump-segments" || true)
((records > 60000)) || die "Apache Kafka finds $records records only"
(($(grep -o 'isvalid: true' "$work/dump-segments" | wc -l) == batches)) || die 'a batch is not valid'
for codec in gzip snappy lz4 zstd; do grep -q "compresscodec: $codec" "$work/dump-segments" || die "no batch is packed with $codec"; done
find "$data" -maxdepth 2 -name '*.index' ! -path '*/__cluster_metadata*' | sort >"$work/indexes"
dump index "$(join <"$work/indexes")" --index-sanity-check
dump index-entries "$(join <"$work/indexes")" --verify-index-only
find "$data" -maxdepth 2 -name '*.timeindex' ! -path '*/__cluster_metadata*' | sort >"$work/timeindexes"
dump timeindex "$(join <"$work/timeindexes")" --index-sanity-check
# The tool takes the time of a batch from its records, and the last batch of a compacted segment may have none.
sed -i '\|/compacted-|d' "$work/timeindexes"
dump timeindex-entries "$(join <"$work/timeindexes")" --verify-index-only
entries=$(find "$data" -maxdepth 2 -name '*.index' ! -path '*/__*' -size +0 | wc -l)
((entries > 0)) || die 'no index has an entry'
find "$data" -maxdepth 2 -name '*.snapshot' >"$work/snapshots"
[[ -s $work/snapshots ]] || die 'no producer snapshot was written'
dump snapshots "$(join <"$work/snapshots")"
grep -q 'producerId' "$work/dump-snapshots" || die 'no snapshot knows of a producer'
dump metadata "$(find "$data/__cluster_metadata-0" -name '*.log' | sort | join)" --cluster-metadata-decoder
for type in REGISTER_BROKER_RECORD TOPIC_RECORD PARTITION_RECORD CONFIG_RECORD REMOVE_TOPIC_RECORD PRODUCER_IDS_RECORD FEATURE_LEVEL_RECORD; do
  grep -q "$type" "$work/dump-metadata" || die "the metadata log has no $type"
done
find "$data"/__cluster_metadata-0 -name '*.checkpoint' | sort >"$work/checkpoints"
[[ ! -s $work/checkpoints ]] || dump checkpoints "$(join <"$work/checkpoints")" --cluster-metadata-decoder
dump offsets "$(find "$data" -path '*__consumer_offsets-*' -name '*.log' | sort | join)" --offsets-decoder
grep -q '"group":"readers"' "$work/dump-offsets" || { head -n 30 "$work/dump-offsets"; die 'the committed offsets are not there'; }
echo "Apache Kafka read $records records in $batches batches, $(wc -l <"$work/logs") segments, their indexes, $(wc -l <"$work/snapshots") snapshots, the metadata log and the offsets"
