# Sourced by benchmarks that are scripts: figures of a process and of loadgen's JSON.

# A number of loadgen's JSON; one level down with a dot: `end_to_end_ms.p99`.
json() { # KEY FILE
  local group=${1%.*} key=${1##*.}
  if [[ $group == "$key" ]]; then group='{'; else group="\"$group\": {"; fi
  awk -v group="$group" -v key="\"$key\":" 'index($0, group) { inside = 1 } inside && $1 == key { sub(/,$/, "", $2); print $2; exit }' "$2"
}

# Processor time of all threads of a process, user and system, in s.
cpu_s() { # PID
  cpu_split_s "$1" | awk '{ printf "%.2f", $1 + $2 }'
}

# The same in two numbers: user, system.
cpu_split_s() { # PID
  sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f %.2f\n", $12 / hz, $13 / hz }'
}

resident_mib() { awk '/^VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$1/status"; } # PID

# What the figures were measured on, in one line.
machine() {
  local model
  model=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
  awk -v cpus="$(nproc)" -v model="$model" -v kernel="$(uname -r | cut -d- -f1)" \
    '/^MemTotal/ { printf "%d × %s, %d GiB, Linux %s", cpus, model, $2 / 1048576 + 0.5, kernel }' /proc/meminfo
}

calculate() { awk "BEGIN { printf \"$1\", $2 }"; } # FORMAT EXPRESSION

# The metrics of a broker that says in its log where they are.
metrics() { # LOG_FILE
  local address
  address=$(sed -n 's|.*metrics on http://\([^/]*\)/metrics.*|\1|p' "$1" | head -n 1)
  exec 9<>"/dev/tcp/${address%:*}/${address##*:}"
  printf 'GET /metrics HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$address" >&9
  cat <&9
  exec 9<&-
}
