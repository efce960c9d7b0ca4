/**
 * Stand-ins for xinit and nxagent: they say and do what the real ones do, as far as the agent looks at them.
 * SIGUSR1 plays a client that connects, SIGUSR2 one that vanishes.
 */

import { chmod, writeFile } from "node:fs/promises";

const LEADER = `#!/bin/bash
here=$(dirname "$0")
"$here/nxagent" &
server=$!
trap 'kill -TERM $server 2>/dev/null' TERM
while kill -0 $server 2>/dev/null; do wait $server; done
`;

const SERVER = `#!/bin/bash
here=$(dirname "$0")
manner=$(cat "$here/manner")
state=
go() { printf %s "$1" > "$here/run/nxagent.state"; state=$1; }
suspend() {
  if [ "$manner" = quick ]; then
    go SUSPENDED
    # Both at once, while the shell itself writes line by line.
    cat <<END
Session: Suspending session at 'now'.
Session: Session suspended at 'now'.
END
    return
  fi
  echo "Session: Suspending session at 'now'."; go SUSPENDING
  [ "$manner" = stuck-suspending ] && return
  sleep 0.05
  echo "Session: Session suspended at 'now'."; go SUSPENDED
}
await_client() { echo "Info: Waiting for connection from '10.77.1.1' on socket 'tcp:*:4100'."; }
hang_up() {
  case "$state" in
    RUNNING) suspend ;;
    SUSPENDED)
      # The real one drops a signal now and then.
      if [ "$manner" = deaf-once ]; then manner=well; return; fi
      echo "Session: Resuming session at 'now'."; go RESUMING; await_client ;;
    RESUMING) echo "Info: Aborting the procedure due to signal '1'."; suspend ;;
    STARTING) finish ;;
  esac
}
client_comes() {
  was=$state
  # Before it is told: whoever reads that may send the next signal at once.
  go RUNNING
  case "$was" in
    STARTING) echo "Session: Session started at 'now'." ;;
    RESUMING) echo "Session: Session resumed at 'now'." ;;
  esac
}
finish() { echo "Session: Terminating session at 'now'."; echo "Session: Session terminated at 'now'."; exit 0; }
trap hang_up HUP
trap client_comes USR1
trap '[ $state = RUNNING ] && suspend' USR2
if [ "$manner" = stubborn ]; then trap 'echo "Session: Terminating session at now"' TERM; else trap finish TERM; fi
echo "NXAGENT - Version 3.5.99.26"
echo "Info: Agent running with pid '1'."
if [ "$manner" = dies ]; then echo "Error: Aborting session with 'Unable to open display'."; exit 1; fi
echo "Session: Starting session at 'now'."; go STARTING
[ "$manner" = mute ] || await_client
# Bash can miss a signal just before its wait.
while :; do sleep 0.3 & wait $!; done
`;

export type Manner = "well" | "dies" | "mute" | "stubborn" | "deaf-once" | "stuck-suspending" | "quick";

/** Writes both programs to `folder` and returns the command that starts them. */
export async function writeFakeNxagent(folder: string, manner: Manner): Promise<string[]> {
  await writeFile(`${folder}/manner`, manner);
  for (const [name, text] of [
    ["xinit", LEADER],
    ["nxagent", SERVER],
  ] as const) {
    await writeFile(`${folder}/${name}`, text);
    await chmod(`${folder}/${name}`, 0o755);
  }
  return [`${folder}/xinit`];
}
