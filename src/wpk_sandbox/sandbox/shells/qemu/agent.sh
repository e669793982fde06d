#!/bin/busybox sh
# Process 1 of the guest. It makes the system that commands see out of the image, starts them there one after
# another, and says over the ports how they ended and what they use. It needs the busybox beside it and nothing of
# the image.
#
# Ports: 1 requests and answers, 2 what commands write to stdout, 3 to stderr, 4 samples, 5 the gate's talk.
# The system lives in namespaces of mounts and processes of its own, so that a command which ends every process or
# mounts over everything does not hit what watches it. Root can leave them: the machine is the wall, not they.

export PATH=/bin

begin() {
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t devtmpfs dev /dev
  exec </dev/null >/dev/console 2>&1
  . /settings
}

fail() {
  echo "wpk: $1"
  poweroff -f
  while :; do sleep 60; done
}

load_modules() {
  while read -r module; do
    insmod "/modules/$module" || fail "the module $module could not be loaded"
  done </modules/order
}

# /new: the image, read-only, below a layer in memory that takes what is written.
make_system() {
  mkdir /image /layer /new
  tries=0
  until mount -t squashfs -o ro /dev/vda /image 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] || fail "the image could not be mounted"
    usleep 5000
  done
  mount -t tmpfs -o "size=$LAYER,mode=755" layer /layer
  mkdir /layer/upper /layer/work
  mount -t overlay -o lowerdir=/image,upperdir=/layer/upper,workdir=/layer/work system /new ||
    fail "the writable layer could not be laid over the image"
  cd /new || fail "there is no root"
  mkdir -p proc sys dev tmp workspace run etc
  mount -t sysfs sysfs sys
  mount -t devtmpfs dev dev
  mkdir -p dev/pts dev/shm
  mount -t devpts -o mode=620,ptmxmode=666 devpts dev/pts
  mount -t tmpfs -o "nosuid,nodev,size=$SHARED,mode=1777" shm dev/shm
  mount -t tmpfs -o "noexec,nosuid,nodev,size=$TMP,mode=1777" tmp tmp
  mount -t tmpfs -o "nosuid,nodev,size=$WORKSPACE,mode=755" workspace workspace
  for link in fd stdin:0 stdout:1 stderr:2; do
    target=/proc/self/fd
    case $link in *:*) target="$target/${link#*:}" ;; esac
    ln -sfn "$target" "dev/${link%:*}"
  done
  rm -f etc/hostname etc/hosts etc/resolv.conf
  echo "$HOST" >etc/hostname
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$HOST" >etc/hosts
  : >etc/resolv.conf
  hostname "$HOST"
  ip link set lo up
}

make_limits() {
  mkdir /groups
  mount -t cgroup2 groups /groups || fail "the kernel has no control groups"
  echo "+memory +pids +cpu" >/groups/cgroup.subtree_control
  mkdir /groups/entering /groups/commands
  cd /groups/commands || fail "the kernel made no control group"
  echo "$MEMORY" >memory.max
  echo "$PROCESSES" >pids.max
  echo "$QUOTA 100000" >cpu.max
}

# Process 1 of the namespaces. Its own root stays ours, so it needs nothing of the image; whoever enters its
# namespace of mounts finds the system on top.
hold_system() {
  cd /new || exit 1
  mount --move . /
  mount -t proc proc proc
  read -r self _ </proc/self/stat
  echo "$self" >/holder.part
  mv /holder.part /holder
  exec 3>&- 4>&- 5>&- 6>&-
  # A shell that waits for its child also reaps the orphans that come to process 1.
  while :; do sleep 3600; done
}

open_ports() {
  tries=0
  until set -- /dev/vport*p5 && [ -c "$1" ]; do
    tries=$((tries + 1))
    [ $tries -lt 1000 ] || fail "the ports did not come"
    usleep 5000
  done
  port=${1%5}
  exec 3<>"${port}1" 4>"${port}2" 5>"${port}3" 6>"${port}4" || fail "the ports could not be opened"
}

say() { echo "$*" >&3; }

# Sets `counters`: microseconds of CPU, bytes of memory now and at most, processes, kills for want of memory (of
# the commands' group or of the whole machine), forks that were refused.
count() {
  cpu=0 most=0 kills=0 refused=0
  read -r now </groups/commands/memory.current
  read -r most </groups/commands/memory.peak
  read -r processes </groups/commands/pids.current
  while read -r key value; do [ "$key" = usage_usec ] && cpu=$value; done </groups/commands/cpu.stat
  while read -r key value; do [ "$key" = oom_kill ] && kills=$value; done </proc/vmstat
  while read -r key value; do [ "$key" = max ] && refused=$value; done </groups/commands/pids.events
  counters="$cpu $now $most $processes $kills $refused"
}

# Sets `stored`: bytes in use of the three places that take files. One process: they are dear where all is emulated.
store() {
  stored=0
  set -- $(stat -f -c '%b %f %S' /layer /new/tmp /new/workspace 2>/dev/null)
  while [ $# -ge 3 ]; do
    stored=$((stored + ($1 - $2) * $3))
    shift 3
  done
}

# Sets `seen`: seconds since boot, bytes in files, and the counters. The time is that of the counters.
look_around() {
  store
  read -r up _ </proc/uptime
  count
  seen="$up $stored $counters"
}

# Says what is in use. In between it looks at memory each tenth of a second, for which it needs no process, and says
# at once what has grown, with what was last known of the rest.
sample() {
  mkfifo /never
  exec 7<>/never
  while :; do
    look_around
    echo "$seen" >&6
    told=$now looks=$LOOKS
    while [ "$looks" -gt 0 ]; do
      looks=$((looks - 1))
      read -r -t 0.1 nothing <&7 2>/dev/null
      # A timeout is 1. More is a busybox that knows no tenths, which would not wait at all.
      [ $? -le 1 ] || usleep 100000
      read -r now </groups/commands/memory.current
      if [ "$now" -gt $((told + told / 64 + 262144)) ]; then
        told=$now
        read -r up _ </proc/uptime
        echo "$up $stored $cpu $now $most $processes $kills $refused" >&6
      fi
    done
  done
}

# In a process of its own: one command, from its start to the end of its streams. It is handed its group's list of
# processes, and joins when it has become the image's shell: what it takes to get there is not the command's.
serve() {
  mark=$1
  mkfifo "/out.$mark" "/err.$mark"
  cat <"/out.$mark" >&4 &
  out=$!
  cat <"/err.$mark" >&5 &
  err=$!
  echo "$out $err" >/relays
  (
    echo 0 >/groups/entering/cgroup.procs
    exec sh /request 3>&- 4>&- 5>&- 6>&- 7>/groups/commands/cgroup.procs
  ) </dev/null >"/out.$mark" 2>"/err.$mark" &
  wait $!
  code=$?
  rm -f "/out.$mark" "/err.$mark"
  say "ended $mark $code"
  wait $out $err
  printf %s "$mark" >&4
  printf %s "$mark" >&5
}

# Ends all that commands started: what is in their groups, and what left them but not the namespace of processes.
end_all() {
  echo 1 >/groups/entering/cgroup.kill
  echo 1 >/groups/commands/cgroup.kill
  nsenter -t "$HOLDER" -p kill -9 -1 2>/dev/null
  say killed
}

answer() {
  while read -r word rest <&3; do
    case $word in
    run)
      mark=${rest% *}
      head -c "${rest#* }" <&3 >/request
      say started
      serve "$mark" &
      ;;
    put)
      head -c "$rest" <&3 >/request
      sh /request </dev/null >/dev/console 2>&1 7>/dev/null
      say "put $?"
      ;;
    gate)
      head -c "$rest" <&3 >/gate.sh
      if chroot /new /bin/sh -c 'command -v python3' >/dev/null 2>&1; then
        say gate yes
        PATH=/bin:/usr/local/bin:/usr/bin sh /gate.sh <>"${port}5" >&0 3>&- 4>&- 5>&- 6>&- &
      else
        say gate no
      fi
      ;;
    cut) read -r out err </relays && kill -9 $out $err ;;
    kill) end_all ;;
    count) count && say "counters $counters" ;;
    sample) look_around && say "sample $seen" ;;
    esac
  done
}

if [ "$1" = hold ]; then
  hold_system
fi
begin
load_modules
open_ports
make_system
make_limits
cd /
unshare -m -p -f --propagation private sh /init hold &
until [ -s /holder ]; do usleep 2000; done
read -r HOLDER _ </holder
# For the gate, which looks from out here at all processes.
mount -t proc proc /new/proc
export HOLDER
sample &
say "ready $(uname -r)"
answer
poweroff -f
