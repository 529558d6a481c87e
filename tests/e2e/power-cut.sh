#!/usr/bin/env bash
# Cuts the power of the disk under load, again and again: what was acknowledged with durability=fsync must be there.
# Shutting down a file system (an ioctl that XFS and ext4 know) fails all I/O of a file system at once; what was not synced is gone after the next mount.
#   tests/e2e/power-cut.sh [CUTS]    on XFS and on ext4 (5, or what CUTS says)
# First it proves that it would notice: with durability=os the same cuts must lose records.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$root/tests/e2e/lib/crash.sh"
cuts=${1:-${CUTS:-5}}
((EUID == 0)) || skip 'a power cut needs root: it mounts a file system of its own'
for tool in python3 mkfs.ext4 losetup; do
  command -v "$tool" >/dev/null || skip "a power cut needs $tool"
done
kinds=(ext4)
if command -v mkfs.xfs >/dev/null; then kinds+=(xfs); else echo 'ext4 only: there is no mkfs.xfs (xfsprogs)'; fi
work=$(mktemp -d)
load_pid='' mounted=''
leave() {
  kill $load_pid 2>/dev/null || true
  kill_broker
  [[ -z $mounted ]] || unmount "$mounted" || true
  rm -rf "$work"
}
trap leave EXIT

# The kernel lets go of a killed process's files in its own time.
unmount() { # FOLDER
  local try
  for try in {1..50}; do
    ! umount "$1" 2>/dev/null || { mounted=''; return 0; }
    sleep 0.1
  done
  umount "$1"
}

make_disk() { # KIND DIR
  mkdir -p "$2/disk"
  truncate -s 1500M "$2/image"
  case $1 in
    xfs) mkfs.xfs -q "$2/image" ;;
    ext4) mkfs.ext4 -q "$2/image" ;;
  esac
  mount_disk "$2"
}

mount_disk() { # DIR
  mount -o loop "$1/image" "$1/disk" 2>"$1/mount" || skip "a power cut needs loop devices: $(cat "$1/mount")"
  mounted=$1/disk
}

# XFS_IOC_GOINGDOWN with flag 2: no flush of anything, the journal included.
shut_down='import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))'

# An fdatasync that is under way when the file system is shut down may say that all is well although it is not: on ext4
# and XFS, seen with a dozen lines of Python and no broker. A machine without power acknowledges nothing; so the
# broker must not do it either, and is stopped first.
stop_acknowledging() {
  local shard try
  kill -STOP "$broker_pid"
  for try in {1..200}; do
    for shard in /proc/"$broker_pid"/task/*; do
      ! grep -q '^shard-' "$shard/comm" || grep -q '^State:.T' "$shard/status" || { sleep 0.01; continue 2; }
    done
    return 0
  done
  die 'a core of the broker does not stop'
}

cut_power() { # DIR
  stop_acknowledging
  python3 -c "$shut_down" "$1/disk" || die "cannot shut down the file system of $1/disk"
  kill_broker
  unmount "$1/disk"
  mount_disk "$1"
}

# Runs the load through the cuts; returns loadgen's verdict.
cut_under_load() { # KIND DURABILITY BACKEND
  local dir=$work/$1-$2 status=0 deadline done_cuts=0
  local configs=("log.dirs=$dir/disk/data" admin.listener= "io.backend=$3" "shard.cores=$(processors 1)" "durability=$2")
  make_disk "$1" "$dir"
  start_broker "$dir" PLAINTEXT://127.0.0.1:0 "${configs[@]}"
  deadline=$((SECONDS + cuts * 2))
  start_load "$dir/load" $((cuts * 2 + 1)) 1000
  while ((done_cuts < cuts && (done_cuts == 0 || SECONDS < deadline))); do
    sleep 1
    random_pause
    cut_power "$dir"
    restart_broker "$dir" "${configs[@]}"
    ((done_cuts += 1))
  done
  wait "$load_pid" || status=$?
  echo "$done_cuts cuts"
  grep -E 'acknowledged in|verified|errors' "$dir/load" || true
  kill_broker
  unmount "$dir/disk"
  rm "$dir/image"
  return "$status"
}

say 'a loss is noticed: ext4, durability=os'
status=0
cut_under_load ext4 os epoll || status=$?
[[ $status == 2 ]] || die "the page cache was lost, and loadgen ended with status $status"

backend=epoll
if has_io_uring "$work/probe"; then backend=io_uring; fi
for kind in "${kinds[@]}"; do
  say "$kind, durability=fsync, $backend"
  status=0
  cut_under_load "$kind" fsync "$backend" || status=$?
  case $status in
    0) ;;
    2) cat "$work/$kind-fsync/load"; die "$kind: acknowledged records are gone" ;;
    *) cat "$work/$kind-fsync/load"; die "$kind: loadgen ended with status $status" ;;
  esac
done
