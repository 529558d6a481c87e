#!/usr/bin/env bash
# Lets Apache Kafka's own dump tool read a log that we wrote:  scripts/dump-log.sh "kafka dump-log"
# The argument is the command that runs the tool; the script fails where the tool finds anything wrong.
set -euo pipefail
dump=${1:?the command that runs kafka-dump-log}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

MILLSTREAM_DUMP_DIR=$dir cargo test -q --lib writes_a_log_for_kafkas_dump_tool -- --ignored
files=$(ls "$dir"/topic-0/0* | paste -sd,)
$dump --files "$files" --print-data-log --deep-iteration --verify-index-only > "$dir/index.txt" 2>&1
$dump --files "$files" --print-data-log --deep-iteration > "$dir/data.txt" 2>&1
if grep -iE "mismatch|corrupt|invalid|exception|not found|isvalid: false" "$dir"/*.txt; then
  echo "Apache Kafka finds fault with the files above" >&2
  exit 1
fi
records=$(grep -c "payload: v" "$dir/data.txt")
markers=$(grep -c "endTxnMarker: ABORT" "$dir/data.txt")
echo "Apache Kafka read $records records and $markers markers in $(ls "$dir"/topic-0/*.log | wc -l) segments, with their indexes and snapshots"
[ "$records" -eq 120 ] && [ "$markers" -eq 3 ]
