# Sourced by the scripts: a broker in the background that ends with the script, and words for its user.
# Needs `root`, the repository's root; MILLSTREAM and LOADGEN may name other programs. Ends nothing but what it started.
millstream=${MILLSTREAM:-$root/target/release/millstream}
loadgen=${LOADGEN:-$root/target/release/loadgen}
broker_pid='' broker_log='' bootstrap=''

say() { printf '\n==> %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# What a build needs; all that is missing is said at once, with what to type.
need_build_tools() {
  local missing=0
  [[ $(uname -s) == Linux ]] || die "Millstream runs on Linux; this is $(uname -s)"
  [[ -d ${CARGO_HOME:-$HOME/.cargo}/bin ]] && PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  if ! command -v cargo >/dev/null; then
    echo "Missing: Rust's cargo. Type:  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2
    missing=1
  fi
  if ! command -v cc >/dev/null; then
    echo 'Missing: a C compiler (for zstd). Type:  sudo apt-get install -y build-essential   (Fedora: sudo dnf install -y gcc)' >&2
    missing=1
  fi
  ((missing == 0)) || die 'install what is missing, then run this again'
}

build_release() {
  say 'building (release); the first time takes some minutes'
  cargo build --release -p millstream -p loadgen || die 'the build failed; the compiler says why above'
}

# The first so many processors that this process may use, as `shard.cores` takes them.
processors() { # COUNT
  awk -v count="$1" '/^Cpus_allowed_list/ {
    ranges = split($2, range, ",")
    for (i = 1; i <= ranges; i++) {
      last = split(range[i], ends, "-")
      for (cpu = ends[1]; cpu <= ends[last] && count > 0; cpu++) { printf "%s%d", comma, cpu; comma = ","; count-- }
    }
  }' /proc/self/status
}

# Starts a broker and returns when it is ready; sets broker_pid, broker_log and bootstrap. Fails with the end of its log.
start_broker() { # WORK_DIR LISTENER [KEY=VALUE]...
  local work=$1 listener=$2 config arguments=() deadline=$((SECONDS + ${START_TIMEOUT_S:-60})) ready=''
  shift 2
  for config; do arguments+=(--override "$config"); done
  mkdir -p "$work"
  broker_log=$work/broker.log
  : >"$broker_log"
  "$millstream" serve --override "listeners=$listener" "${arguments[@]}" >"$broker_log" 2>&1 </dev/null &
  broker_pid=$!
  until ready=$(grep -m1 '^millstream ready' "$broker_log"); do
    if ! kill -0 "$broker_pid" 2>/dev/null || ((SECONDS >= deadline)); then
      tail -n 20 "$broker_log" >&2
      stop_broker || true
      return 1
    fi
    sleep 0.05
  done
  echo "$ready"
  # The listener may have asked for port 0: the line says which address it got.
  bootstrap=$(sed -E 's/.* on ([^, ]+).*/\1/' <<<"$ready")
}

# Ends the broker; fails if it did not end cleanly.
stop_broker() {
  local pid=$broker_pid deadline=$((SECONDS + 30)) status=0
  [[ -n $pid ]] || return 0
  broker_pid=''
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      echo "the broker (pid $pid) did not end within 30 s of SIGTERM; killing it" >&2
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  wait "$pid" 2>/dev/null || status=$?
  ((status == 0)) || { echo "the broker ended with status $status; the end of its log:" >&2; tail -n 20 "$broker_log" >&2; }
  return "$status"
}

# Whether this kernel and container let a broker use io_uring; says why not.
has_io_uring() { # WORK_DIR
  start_broker "$1" PLAINTEXT://127.0.0.1:0 "log.dirs=$1/data" admin.listener= io.backend=io_uring >/dev/null 2>&1 && stop_broker
}
