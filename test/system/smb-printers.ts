/**
 * What a Windows PC offers of its printers, by Samba: shares that guests may print to, each into a file. Runs as an
 * account without rights, in the folder that it is given.
 */

import { mkdir, writeFile } from "node:fs/promises";

/** Puts what `smbd` reads into the folder, and returns how to start it. */
export async function prepareSmbPrinters(folder: string, port: number): Promise<readonly string[]> {
  const place = `${folder}/smb`;
  const parts = ["private", "lock", "state", "cache", "pid", "ncalrpc", "spool"];
  for (const part of parts) await mkdir(`${place}/${part}`, { recursive: true });
  await writeFile(`${place}/printcap`, PRINTERS.map(([queue]) => `${queue}|${queue}:\n`).join(""));
  await writeFile(`${place}/smb.conf`, renderGlobal(place, port) + PRINTERS.map(renderShare).join(""));
  return ["smbd", "--foreground", "--no-process-group", "-s", `${place}/smb.conf`];

  function renderShare([queue, share]: (typeof PRINTERS)[number]): string {
    return `[${share}]
printable = yes
guest ok = yes
path = ${place}/spool
printer name = ${queue}
print command = cat %s >> ${folder}/printed/${queue}; rm -f %s
`;
  }
}

/** The file that it prints into, and its share. */
const PRINTERS = [
  ["Office", "Office"],
  ["Room2", "Büro 2"],
] as const;

function renderGlobal(place: string, port: number): string {
  return `[global]
server role = standalone server
map to guest = Bad User
guest account = nobody
private dir = ${place}/private
lock directory = ${place}/lock
state directory = ${place}/state
cache directory = ${place}/cache
pid directory = ${place}/pid
ncalrpc dir = ${place}/ncalrpc
log file = ${place}/log
smb ports = ${port}
interfaces = 127.0.0.1
bind interfaces only = yes
printing = sysv
printcap name = ${place}/printcap
load printers = no
disable spoolss = yes
lpq command = true
[Papers]
path = ${place}
guest ok = yes
`;
}
