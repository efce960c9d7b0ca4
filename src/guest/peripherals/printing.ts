/**
 * Printing: while a client is connected, the session has a CUPS server of its own with a queue for each printer of the
 * client's CUPS, for each that its Windows shares by SMB, or for each that the Perl client offers, which it reaches
 * through nxagent's channel. Jobs go to the client as they are: their conversion is the client's, who knows the
 * printer. With the client the server goes, and what it had not handed over is lost.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { waitFor } from "../../lib/wait.ts";
import { type ChannelUser, endOfUser, findOfUser, runAsUser, startAsUser } from "./as-user.ts";
import { parseQueues } from "./parse-queues.ts";
import { parseShares } from "./parse-shares.ts";
import { PRINT_PORT } from "./plan-channels.ts";
import { askForPrinters, prepareBackend } from "./slave-printers.ts";

/** An emulated machine takes many times as long as a container. */
const START_MS = 20_000;
const END_MS = 3_000;
const LIST_MS = 30_000;

export type PrintingOptions = {
  /** Root's, and readable by the user. */
  readonly folder: string;
  readonly way: PrintingWay;
};

export type PrintingWay = "cups" | "smb" | "slave";

/** Undefined when it went well, else why not. */
export async function connectPrinting(
  user: ChannelUser,
  { folder, way }: PrintingOptions,
): Promise<string | undefined> {
  const lacks = ["/usr/sbin/cupsd", "/usr/bin/lpstat", "/usr/sbin/lpadmin"].find((path) => !existsSync(path));
  if (lacks !== undefined) return `the image has no ${lacks} (Debian: cups-daemon, cups-client)`;
  if (hasOwnPrinters()) return "the image has printers of its own, so the client's are not shown";
  const offered = await LISTS[way](user);
  if (typeof offered === "string") return offered;
  await disconnectPrinting(user);
  const socket = await startServer(user, { folder, way });
  if (socket === undefined) return "the session's CUPS server did not start";
  const env = { CUPS_SERVER: socket };
  let problem: string | undefined;
  for (const { name, uri, title } of offered.printers) {
    const queue = ["-p", `QVD-${name}`, "-E", "-v", uri, "-D", `${title} (client)`, "-m", "raw"];
    // A printer that is busy for a moment would else be stopped, with nobody there to start it again.
    const add = ["lpadmin", ...queue, "-o", "printer-error-policy=retry-job"];
    const added = await runAsUser(user, add, { env });
    // The others are offered all the same.
    if (added.exitCode !== 0)
      problem ??= `the client's printer ${title} can't be offered${describe(added.stderr)}`;
  }
  if (offered.standard !== undefined)
    await runAsUser(user, ["lpadmin", "-d", `QVD-${offered.standard}`], { env });
  return problem;
}

type Printer = { readonly name: string; readonly uri: string; readonly title: string };
type Offered = { readonly printers: readonly Printer[]; readonly standard: string | undefined };

async function listQueues(user: ChannelUser): Promise<Offered | string> {
  const client = `127.0.0.1:${PRINT_PORT}`;
  const listed = await runAsUser(user, ["lpstat", "-h", client, "-a", "-d"], { timeoutMs: LIST_MS });
  const { names, standard } = parseQueues(listed.stdout);
  if (names.length === 0)
    return `the client's CUPS shows no printer${describe(listed.stderr)}; its nxproxy's cups option must name its port`;
  const printers = names.map((name) => ({ name, title: name, uri: `ipp://${client}/printers/${name}` }));
  return { printers, standard };
}

/** Printers that the client's PC shares with whoever asks from itself: nobody's password is there to ask with. */
async function listShares(user: ChannelUser): Promise<Offered | string> {
  const lacks = ["/usr/bin/smbclient", "/usr/lib/cups/backend/smb"].find((path) => !existsSync(path));
  if (lacks !== undefined) return `the image has no ${lacks} (Debian: smbclient)`;
  const ask = ["smbclient", "-L", "127.0.0.1", "-p", `${PRINT_PORT}`, "-g", "-N"];
  const listed = await runAsUser(user, ask, { timeoutMs: LIST_MS });
  const printers = parseShares(listed.stdout).map(({ name, share, title }) => {
    return { name, title, uri: `smb://127.0.0.1:${PRINT_PORT}/${encodeURIComponent(share)}` };
  });
  if (printers.length > 0) return { printers, standard: undefined };
  const why = describe(listed.exitCode === 0 ? "" : `${listed.stdout}\n${listed.stderr}`);
  return `the client's PC shares no printer with guests${why}; its nxproxy's smb option must name its port`;
}

/** The way of the Perl client for Windows. */
async function listOffered(): Promise<Offered | string> {
  if (!existsSync("/bin/bash")) return "the image has no bash, which hands jobs to this client";
  const offered = await askForPrinters();
  if (typeof offered === "string") return offered;
  const printers = offered.map(({ id, title }) => ({ name: id, title, uri: `qvdslave:/${id}` }));
  return { printers, standard: offered.find(({ isStandard }) => isStandard)?.id };
}

const LISTS = {
  cups: listQueues,
  smb: listShares,
  slave: listOffered,
} as const satisfies Record<PrintingWay, (user: ChannelUser) => Promise<Offered | string>>;

export async function disconnectPrinting(user: ChannelUser): Promise<void> {
  endOfUser(user, "cupsd");
  await waitFor(() => findOfUser(user, "cupsd").length === 0, { timeoutMs: END_MS, everyMs: 50 });
}

/** Then programs of the session ask those, as the session's start script says too. */
function hasOwnPrinters(): boolean {
  if (existsSync("/run/cups/cups.sock")) return true;
  const settings = "/etc/cups/client.conf";
  return existsSync(settings) && /^\s*ServerName\s/im.test(readFileSync(settings, "utf8"));
}

async function startServer(user: ChannelUser, { folder, way }: PrintingOptions): Promise<string | undefined> {
  const place = `/run/user/${user.uid}/qvd-cups`;
  // As the user: the place is theirs, and root follows nothing there.
  const parts = ["root", "cache", "spool", "state"].map((part) => `${place}/${part}`);
  await runAsUser(user, ["rm", "-rf", "--", place]);
  await runAsUser(user, ["mkdir", "-p", ...parts]);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const programs = way === "slave" ? prepareBackend(folder) : "/usr/lib/cups";
  writeFileSync(`${folder}/cupsd.conf`, serverSettings(place), { mode: 0o644 });
  writeFileSync(`${folder}/cups-files.conf`, serverFiles(place, { user, programs }), { mode: 0o644 });
  startAsUser(user, ["cupsd", "-f", "-c", `${folder}/cupsd.conf`, "-s", `${folder}/cups-files.conf`]);
  const socket = `${place}/cups.sock`;
  const isUp = async () =>
    (await runAsUser(user, ["lpstat", "-h", socket, "-r"])).stdout.includes("is running");
  return (await waitFor(isUp, { timeoutMs: START_MS, everyMs: 50 })) ? socket : undefined;
}

/** Nobody but the session's user reaches the socket, so whoever does may do all. */
function serverSettings(place: string): string {
  const all = "Order allow,deny\nAllow all\n";
  return `LogLevel warn
Listen ${place}/cups.sock
Browsing No
BrowseLocalProtocols none
DefaultAuthType None
WebInterface No
PreserveJobHistory No
PreserveJobFiles No
JobRetryInterval 5
JobRetryLimit 12
<Location />
${all}</Location>
<Policy default>
<Limit All>
${all}</Limit>
</Policy>
`;
}

function serverFiles(
  place: string,
  { user: { uid, gid }, programs }: { readonly user: ChannelUser; readonly programs: string },
): string {
  return `ServerRoot ${place}/root
ServerBin ${programs}
CacheDir ${place}/cache
RequestRoot ${place}/spool
StateDir ${place}/state
TempDir ${place}/spool
AccessLog /dev/null
ErrorLog ${place}/error_log
PageLog /dev/null
FatalErrors none
User ${uid}
Group ${gid}
`;
}

function describe(said: string): string {
  const last = said.trim().split("\n").at(-1) ?? "";
  return last === "" ? "" : ` (${last.slice(0, 200)})`;
}
