# Sourced by the end-to-end scripts, after `root` is set: the broker functions of scripts/lib, and what a crash needs besides.
source "$root/scripts/lib/broker.sh"
[[ -x $millstream && -x $loadgen ]] || die "build first: cargo build --release -p millstream -p loadgen"

# Exit status 77: it cannot run here; the last line says why.
skip() {
  echo "$*"
  exit 77
}

# As `kill -9` and as a machine that stops: nothing is handed over.
kill_broker() {
  local pid=$broker_pid
  broker_pid=''
  [[ -n $pid ]] || return 0
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# Starts the broker on the address it had, at once.
restart_broker() { # WORK_DIR [KEY=VALUE]...
  local work=$1 address=$bootstrap
  shift
  start_broker "$work" "PLAINTEXT://$address" "$@" >"$work/start" 2>&1 || { cat "$work/start" >&2; die 'the broker does not start again'; }
}

# Runs loadgen in the background, riding out restarts; sets load_pid. The verdict is its exit status. Returns when
# records flow: what it asks before that, it asks once.
start_load() { # LOG SECONDS RECORDS_PER_S
  : >"$1"
  "$loadgen" run --bootstrap "$bootstrap" --through-restarts --idempotence --consumers 2 --connections 3 \
    --partitions 6 --rate "$3" --record-size 200 --batch-size 8192 --duration "$2s" >"$1" 2>&1 &
  load_pid=$!
  local _
  for _ in {1..300}; do
    ! grep -q 'records/s acknowledged' "$1" || return 0
    kill -0 "$load_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$1" >&2
  die 'the load does not begin'
}

# A pause of a random length: 0.1 to 0.9 s.
random_pause() { sleep "0.$((RANDOM % 9 + 1))"; }
