#!/bin/sh
# PID 1 of a desktop. Keeps the agent running, reaps what others orphan, and goes down when the host sends
# TERM or when the agent has announced a power-off. Comes from the host, read-only: the image has no part in it.
# With the word "prepare" it does only what comes before the agent, for a systemd in its place.
# Environment: QVD_HOST_NAME, QVD_RESOLVERS (addresses with blanks between), QVD_SEARCH_DOMAIN (empty for none).

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
export PATH HOME
umask 022
cd /

state=/run/qvd-guest
log=/var/log/qvd-agent.log
power_off=80 # The agent's exit code for a power-off; the file must be there too.

is_stopping=
trap 'is_stopping=yes' TERM INT PWR

pause() { sleep "$1" 2>/dev/null || sleep 1; }

# True while a process other than this one exists, zombies aside: the shell reaps those.
is_anyone_left() {
  for process in /proc/[0-9]*; do
    [ "$process" = /proc/1 ] || [ ! -r "$process/stat" ] || return 0
  done
  return 1
}

# True when /etc/hosts has the name.
knows_itself() {
  [ -r /etc/hosts ] || return 1
  while read -r address names || [ -n "$address" ]; do
    case " $names " in *[[:blank:]]"$1"[[:blank:]]*) return 0 ;; esac
  done </etc/hosts
  return 1
}

# The person waits for the agent, and each program takes a millisecond: the shell does by itself what it can.
[ -d "$state" ] && [ -d /var/log ] && [ -d /root ] || mkdir -p "$state" /var/log /root
if [ -e "$state/power-off" ]; then rm -f "$state/power-off"; fi

if [ -n "$QVD_RESOLVERS" ]; then
  # Often a link to what a service of a whole system would write.
  if [ -L /etc/resolv.conf ]; then rm -f /etc/resolv.conf; fi
  {
    if [ -n "$QVD_SEARCH_DOMAIN" ]; then echo "search $QVD_SEARCH_DOMAIN"; fi
    for address in $QVD_RESOLVERS; do echo "nameserver $address"; done
  } >/etc/resolv.conf
fi
if [ -n "$QVD_HOST_NAME" ]; then
  echo "$QVD_HOST_NAME" >/etc/hostname
  knows_itself "$QVD_HOST_NAME" ||
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$QVD_HOST_NAME" >>/etc/hosts
fi
unset QVD_RESOLVERS QVD_SEARCH_DOMAIN QVD_HOST_NAME
# Before each start of an agent, which is to find again what an earlier one knew.
if [ "${1-}" = prepare ]; then exit 0; fi
# Of an earlier boot.
for left in order-taken early session.json; do
  if [ -e "$state/$left" ]; then rm -f "$state/$left"; fi
done

# Somebody waits for a session: it begins beside the agent, which takes it over. A process of its own, so that no fault in
# it is this one's end. The agent's start would only take the processors from it, and from others like it: the node keeps a
# pipe open until there is time, and the agent waits for its end, or for a word of the script that it goes no further.
gate=
if [ -r /run/qvd/order.sh ]; then
  if [ -p /run/qvd/gate ]; then gate=/run/qvd/gate; fi
  umask 077
  : >"$state/session.log"
  umask 022
  (. /run/qvd/order.sh) </dev/null >>"$state/session.log" 2>&1 &
  echo "$!" >"$state/early"
fi

# Without a compiler of hot code: the agent has none, and its threads and tables cost each desktop 1.5 MB.
BUN_JSC_useJIT=0
# Memory is looked through each 10 s and not each: of an agent with nothing to do that was four fifths of all wakes.
BUN_GC_TIMER_INTERVAL=10000
export BUN_JSC_useJIT BUN_GC_TIMER_INTERVAL

while [ -z "$is_stopping" ]; do
  if [ -f "$log" ] && [ "$(wc -c <"$log")" -gt 1048576 ]; then mv -f "$log" "$log.1"; fi
  (
    if [ -n "$gate" ]; then read -r word 2>/dev/null <"$gate"; fi
    exec /opt/qvd/qvd guest run
  ) </dev/null >>"$log" 2>&1 &
  agent=$!
  gate=
  # Returns early, with a code over 128, when a signal comes.
  wait "$agent"
  code=$?
  [ -z "$is_stopping" ] || break
  if [ "$code" = "$power_off" ] && [ -e "$state/power-off" ]; then break; fi
  echo "init: the agent ended with $code and is started again" >>"$log"
  pause 0.3
done

# The agent first, so that it can suspend the session and let its programs save; then all the rest. 5 s in all.
kill -TERM "$agent" 2>/dev/null
tries=0
while kill -0 "$agent" 2>/dev/null && [ "$tries" -lt 20 ]; do
  tries=$((tries + 1))
  pause 0.1
done
kill -TERM -1 2>/dev/null
while is_anyone_left && [ "$tries" -lt 50 ]; do
  tries=$((tries + 1))
  pause 0.1
done
# What is left goes with this process: the kernel kills a container whose first process ends.
exit 0
