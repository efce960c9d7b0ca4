/**
 * A person's round on the running demo: sign in, list, connect to the stopped desktop, see it painted, type into a
 * terminal, browse a page, leave, come back to the same windows, and have the desktop stopped in the web admin
 * tool. Debian's own nxproxy, Xvfb and Chromium are the client; what was typed is read back in the guest.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { openScreen } from "../../../bench/screen.ts";
import { VmShape } from "../../../src/admin/api/shapes.ts";
import { type Api, openApi } from "../../../src/cli/api-client.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import type { Credentials } from "../demo/credentials.ts";
import { COLOUR, type Place } from "../demo/place.ts";
import { qvd } from "../demo/qvd.ts";
import { say } from "../demo/say.ts";
import { Desk } from "./desk.ts";
import { type GuestView, openGuestView } from "./guest-view.ts";
import { type NxViewer, startNxViewer } from "./nx-viewer.ts";
import { QvdConnection, type Target } from "./qvd-connection.ts";
import { CheckReport } from "./report.ts";
import { stopInWat } from "./wat-visit.ts";

const GEOMETRY = "1024x768";
/** Ample: a machine that does much else is no reason to say that the demo is broken. */
const SEEN_MS = 60_000;
const FIREFOX_MS = 180_000;

type Round = {
  readonly place: Place;
  readonly credentials: Credentials;
  readonly vmId: number;
  readonly target: Target;
  readonly report: CheckReport;
  readonly desk: Desk;
  readonly guest: GuestView;
  readonly api: Api;
  /** Connects and waits until the colour is on the screen. */
  readonly connect: (colour: string) => Promise<Seen>;
};

type Seen = {
  readonly viewer: NxViewer;
  readonly progress: readonly string[];
  readonly connectMs: number;
  readonly pixelMs: number;
};

/** True when all of it held. Tells each step as it goes, and prints the table of timings. */
export async function runCheck(place: Place, credentials: Credentials): Promise<boolean> {
  const { vm: vmId, user } = credentials;
  if (vmId === undefined) throw new Error("the demo has no desktop yet");
  const report = new CheckReport(say);
  const screen = await openScreen();
  const desk = new Desk(screen);
  const target = { port: place.brokerPort, caCertificate: place.caCertificate, ...user };
  const viewers: NxViewer[] = [];
  const connect = (colour: string) =>
    connectAndSee({ target, vmId, desk, colour }, async (connection) => {
      const viewer = await startNxViewer(connection, screen);
      viewers.push(viewer);
      return viewer;
    });
  const guest = openGuestView(place.instance, vmId);
  const api = await openApi({
    QVD_API_URL: place.watUrl,
    QVD_API_CA: place.caCertificate,
    QVD_LOGIN: credentials.administrator.login,
    QVD_PASSWORD: credentials.administrator.password,
  });
  const round = { place, credentials, vmId, target, report, desk, guest, api, connect };
  mkdirSync(`${place.state}/check`, { recursive: true, mode: 0o700 });
  try {
    await makeRound(round);
    process.stdout.write(`\n${report.renderTable()}\n`);
    say(`all ${report.steps} steps held; pictures are in ${place.state}/check`);
    return true;
  } catch {
    // Told by its step already.
    await desk.photograph(`${place.state}/check/failed.png`);
    say(`the check failed; the screen at that moment is ${place.state}/check/failed.png`);
    process.stderr.write(
      await qvd(place, ["vm", "explain", String(vmId)], { as: credentials.administrator }),
    );
    return false;
  } finally {
    for (const viewer of viewers) await viewer.drop();
    await screen.close();
  }
}

async function makeRound(round: Round): Promise<void> {
  const { report, vmId } = round;
  await report.step("begins with a stopped desktop", () => ensureStopped(round));
  await report.step("refuses a wrong password and somebody else's desktop", () => tryRefusals(round));
  await report.step("lists the desktops", () => listDesktops(round));
  const first = await report.step("connects to the stopped desktop and sees it painted", () =>
    connectCold(round),
  );
  const colours = [pickColour(), pickColour()] as const;
  await report.step("types into a terminal and reads the effect in the guest", () =>
    useTerminal(round, colours[0]),
  );
  const browser = await report.step("opens Firefox on a page of its own and sees it", () =>
    useFirefox(round, colours[1]),
  );
  await report.step("drops the connection and the session is suspended", () => leave(round, first.viewer));
  await report.step("comes back to the same window", () => comeBack(round, colours[1], browser));
  await report.step("stops the desktop in the web admin tool", () => stop(round));
  await report.step(`finds desktop ${vmId} stopped`, () => ensureIsStopped(round));
}

async function ensureStopped(round: Round): Promise<void> {
  if ((await readVm(round)).state === "stopped") return;
  await round.api.ask("POST", `/vms/${round.vmId}/stop`);
  await ensureIsStopped(round);
}

async function ensureIsStopped(round: Round): Promise<void> {
  await awaitVm(round, "is stopped", (vm) => vm.state === "stopped");
}

async function tryRefusals({ target, credentials }: Round): Promise<void> {
  const stranger = await QvdConnection.open({ ...target, password: "not the password" });
  const refused = await stranger.list();
  stranger.close();
  if (refused.status !== 401) throw new Error(`a wrong password was answered ${refused.status}, not 401`);
  const curious = await QvdConnection.open(target);
  const { final } = await curious.connect(credentials.otherVm ?? 0, GEOMETRY);
  curious.close();
  // The original's answer, which its clients show.
  if (final.status !== 503 || !final.body.includes("not allowed"))
    throw new Error(`somebody else's desktop was answered ${final.status}: ${final.body}`);
}

async function listDesktops({ target, report, vmId }: Round): Promise<void> {
  const start = performance.now();
  const connection = await QvdConnection.open(target);
  const answer = await connection.list();
  report.time("sign in and list", performance.now() - start);
  connection.close();
  if (answer.status !== 200 || !JSON.parse(answer.body).some((vm: { id: number }) => vm.id === vmId))
    throw new Error(`the list was answered ${answer.status} with ${answer.body}`);
}

async function connectCold({ connect, report }: Round): Promise<Seen> {
  const seen = await connect(COLOUR);
  report.time("cold connect to 101", seen.connectMs);
  report.time("cold connect to first pixel", seen.pixelMs);
  for (const text of seen.progress) say(`    102 ${text}`);
  if (seen.progress.length < 2)
    throw new Error(`only ${seen.progress.length} progress lines came before the 101`);
  return seen;
}

/** From the request on a connection that has listed, as clients do, to the desktop's colour on the screen. */
async function connectAndSee(
  { target, vmId, desk, colour }: Pick<Round, "target" | "vmId" | "desk"> & { readonly colour: string },
  show: (connection: QvdConnection) => Promise<NxViewer>,
): Promise<Seen> {
  const connection = await QvdConnection.open(target);
  await connection.list();
  const start = performance.now();
  const { final, progress } = await connection.connect(vmId, GEOMETRY);
  const connectMs = performance.now() - start;
  if (final.status !== 101) throw new Error(`connect_to_vm was answered ${final.status}: ${final.body}`);
  const viewer = await show(connection);
  const pixelMs = (await desk.see(colour, 0.1, SEEN_MS)) - start;
  return { viewer, progress, connectMs, pixelMs };
}

async function useTerminal(
  { desk, guest, report, credentials, place }: Round,
  colour: string,
): Promise<void> {
  await desk.see(COLOUR, 0.3, SEEN_MS);
  await desk.photograph(`${place.state}/check/desktop.png`);
  await desk.openTerminal();
  const word = randomBytes(6).toString("hex");
  const start = performance.now();
  // The terminal itself takes the colour; nothing else on the screen has it.
  await desk.type(`printf '\\033]11;${colour}\\007'; echo ${word} > ~/qvd-check`);
  report.time("line typed to window repainted", (await desk.see(colour, 0.15, SEEN_MS)) - start);
  const path = `/home/${credentials.user.login}/qvd-check`;
  const read = await waitFor(() => guest.read(path)?.trim() === word, { timeoutMs: SEEN_MS });
  if (read !== true) throw new Error(`${path} in the guest does not hold the word that was typed`);
}

/** Returns Firefox's process. */
async function useFirefox({ desk, guest, report, place }: Round, colour: string): Promise<number> {
  const page = `<title>QVD check</title><body style='background:${colour}'>`;
  const start = performance.now();
  await desk.type(`echo "${page}" > ~/qvd-check.html; firefox ~/qvd-check.html &`);
  report.time("Firefox started to page painted", (await desk.see(colour, 0.2, FIREFOX_MS)) - start);
  await desk.photograph(`${place.state}/check/firefox.png`);
  return readFirefox(guest);
}

function readFirefox(guest: GuestView): number {
  const [pid] = guest.findProcesses("firefox-esr");
  if (pid === undefined) throw new Error("Firefox does not run in the guest");
  return pid;
}

async function leave(round: Round, viewer: NxViewer): Promise<void> {
  const start = performance.now();
  await viewer.drop();
  await awaitVm(round, "is suspended", (vm) => vm.xState === "suspended" && !vm.isConnected);
  round.report.time("connection dropped to suspended", performance.now() - start);
}

async function comeBack(
  { connect, desk, guest, report, place }: Round,
  colour: string,
  firefox: number,
): Promise<void> {
  const seen = await connect(colour);
  report.time("warm resume to 101", seen.connectMs);
  report.time("warm resume to the window's pixels", seen.pixelMs);
  await desk.photograph(`${place.state}/check/resumed.png`);
  if (readFirefox(guest) !== firefox) throw new Error("Firefox is another one than before");
}

async function stop({ place, credentials, vmId, report }: Round): Promise<void> {
  const { administrator } = credentials;
  const picture = `${place.state}/check/wat.png`;
  report.time(
    "stop in the WAT to stopped",
    await stopInWat({ url: place.watUrl, administrator, vmId, picture }),
  );
}

async function awaitVm(round: Round, what: string, isRight: (vm: VmShape) => boolean): Promise<void> {
  const vm = await waitFor(async () => isRight(await readVm(round)), { timeoutMs: SEEN_MS, everyMs: 50 });
  if (vm !== true) throw new Error(`the web admin tool does not say that the desktop ${what}`);
}

async function readVm({ api, vmId }: Round): Promise<VmShape> {
  return VmShape.parse(await api.ask("GET", `/vms/${vmId}`));
}

/** Strong, and no colour of the desktop's look. */
function pickColour(): string {
  const [a = 0, b = 0, c = 0] = randomBytes(3);
  const parts = [160 + (a % 90), 20 + (b % 40), 60 + (c % 120)];
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
