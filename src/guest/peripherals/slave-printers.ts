/**
 * Printers as the Perl client for Windows offers them (chapters 4.6 and 4.9 of QVD 4's protocol, flavour `slave4`): by
 * requests that the desktop makes on the session's slave channel, answered by a program of the client's.
 *
 *     GET /printer                 ──► {"Printers":[{"qvd_id":…,"name":…,"default":1}]}
 *     POST /printer/ID/printjob    ──► 200 when the job is taken, 102 as often as it likes before
 */

import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { describeError } from "../../lib/errors.ts";
import { type ClientAnswer, parseClientAnswer } from "./parse-client-answer.ts";
import { type OfferedPrinter, parseOfferedPrinters } from "./parse-offered-printers.ts";
import { SLAVE_PORT } from "./plan-channels.ts";

/** The client starts a program for each request; on Windows that takes its time. */
const ASK_MS = 20_000;
const MOST_BYTES = 64 * 1024;

/** A text is why there are none. */
export async function askForPrinters(): Promise<readonly OfferedPrinter[] | string> {
  try {
    const { status, body } = await ask();
    if (status !== 200) return `the client answers ${status} when it is asked for its printers`;
    const printers = parseOfferedPrinters(body);
    return printers.length > 0 ? printers : "the client names no printer on its slave channel";
  } catch (error) {
    return `the client can't be asked for its printers on its slave channel (${describeError(error)})`;
  }
}

/** Whoever reads ends the connection: an answer would be lost if its end came before, as the channel knows no half of a close. */
async function ask(): Promise<ClientAnswer> {
  const socket = connect({ host: "127.0.0.1", port: SLAVE_PORT });
  const timer = setTimeout(() => socket.destroy(new Error("it did not answer in time")), ASK_MS);
  try {
    socket.write("GET /printer HTTP/1.1\r\nHost: localhost\r\nUser-Agent: QVD\r\n\r\n");
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk]);
      const answer = parseClientAnswer(bytes);
      if (answer !== undefined) return answer;
      if (bytes.length > MOST_BYTES) throw new Error("its answer is too long");
    }
    throw new Error("it closed the connection");
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

/** Where CUPS finds its programs, and beside them the one that hands jobs to the client. `folder` is root's. */
export function prepareBackend(folder: string): string {
  const programs = `${folder}/programs`;
  rmSync(programs, { recursive: true, force: true });
  mkdirSync(`${programs}/backend`, { recursive: true, mode: 0o755 });
  for (const part of ["daemon", "filter"])
    if (existsSync(`/usr/lib/cups/${part}`)) symlinkSync(`/usr/lib/cups/${part}`, `${programs}/${part}`);
  const backend = `${programs}/backend/qvdslave`;
  writeFileSync(backend, BACKEND);
  // CUPS runs what is root's and nobody else may write; the mode at creation is the agent's umask's.
  chmodSync(backend, 0o755);
  return programs;
}

/** No program of ours, which would cost each job 40 MB. The client has 120 s for a job, as QVD 4 gives it. */
const BACKEND = `#!/bin/bash
[ $# -gt 0 ] || exit 0
job=$6
if [ -z "$job" ]; then
  job=$(mktemp) || exit 1
  trap 'rm -f "$job"' EXIT
  cat > "$job" || exit 1
fi
exec 3<> /dev/tcp/127.0.0.1/${SLAVE_PORT} || exit 1
printf 'POST /printer/%s/printjob HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/octet-stream\\r\\nContent-Length: %d\\r\\n\\r\\n' \\
  "\${DEVICE_URI#qvdslave:/}" "$(stat -L -c %s "$job")" >&3 || exit 1
cat "$job" >&3 || exit 1
while IFS= read -r -t 120 line <&3; do
  case $line in
    "HTTP/1."?" 102"*) ;;
    "HTTP/1."?" 200"*) exit 0 ;;
    "HTTP/1."*) echo "ERROR: the client takes no job: \${line%$'\\r'}" >&2; exit 1 ;;
  esac
done
echo "ERROR: the client did not answer" >&2
exit 1
`;
