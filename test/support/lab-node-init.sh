#!/bin/bash
# The first process of a node of the lab: a machine of its own as far as Linux goes (mounts, processes, network,
# host name, control groups), then what systemd would do: the node process, started again whenever it ends.
# Arguments: stage, name, folder of the lab, address/prefix, default gateway, environment file, control group.
set -eu
stage=$1 name=$2 folder=$3 address=$4 gateway=$5 environment=$6 group=$7

if [ "$stage" = 1 ]; then
  # Everything of this node hangs below one group, so that the whole machine can be frozen or lose its power.
  echo 0 >"/sys/fs/cgroup/unified/$group/cgroup.procs"
  exec unshare --cgroup /bin/bash "$0" 2 "$name" "$folder" "$address" "$gateway" "$environment" "$group"
fi

hostname "$name"
groups=$folder/$name/groups
mkdir -p "$groups"
mount --rbind /sys/fs/cgroup "$groups"
mount -t sysfs sysfs /sys
mount --rbind "$groups" /sys/fs/cgroup
umount -l /sys/fs/cgroup/unified "$groups"
mount -t cgroup2 none /sys/fs/cgroup/unified
# What a cut of the storage stops: a file system of this node's own over the shared folder of counters.
mount --bind "$folder/$name/leases" "$folder/shared/leases"
ip link set lo up
ip link set eth0 up
ip addr add "$address" dev eth0
ip route add default via "$gateway"
echo 1 >/proc/sys/net/ipv4/ip_forward
# As docs/operations/failover.md advises: a cut network is noticed within seconds.
echo 5 >/proc/sys/net/ipv4/tcp_retries2

set -a
# shellcheck disable=SC1090 # written by the lab
. "$environment"
set +a
cd /
trap 'kill -INT "$node" 2>/dev/null' TERM
while :; do
  "$folder/$name/state/bin/qvd" node run >>"$folder/$name/node.log" 2>&1 &
  node=$!
  wait "$node" || true
  # An orderly end; a crash is started again.
  [ ! -e "$folder/$name/stop" ] || break
  sleep 0.5
done
