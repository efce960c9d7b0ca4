import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Place } from "../client/broker-connection.ts";
import { chooseChannels } from "../client/channels/choose-channels.ts";
import {
  clientFolder,
  listProfiles,
  type Profile,
  pinFile,
  readPin,
  readProfile,
  writePin,
  writeProfile,
} from "../client/client-files.ts";
import type { ListedDesktop } from "../client/desktops.ts";
import { meetBroker } from "../client/meet-broker.ts";
import { requireNxproxy, type ViewEnd } from "../client/nx-viewer.ts";
import { openOwnDisplay } from "../client/own-display.ts";
import { readKeyboard } from "../client/read-keyboard.ts";
import { type ConnectOptions, runConnect } from "../client/run-connect.ts";
import { decideTrust, isFingerprint, type ShownCertificate } from "../client/trust-broker.ts";
import { AppError, assertNever } from "../lib/errors.ts";
import { flag, textOption } from "./admin/arguments.ts";
import { readPassword } from "./admin/read-password.ts";
import type { Command, CommandArgs, CommandIo } from "./command.ts";
import { readAnswer } from "./read-answer.ts";

const DEFAULT_PORT = 8443;
const LINKS = ["modem", "isdn", "adsl", "wan", "lan", "local"];

export const connect: Command = {
  name: "connect",
  summary: "Open one of your desktops in a window.",
  options: {
    host: { type: "text", value: "HOST[:PORT]", doc: `The broker; port ${DEFAULT_PORT} unless said.` },
    user: { type: "text", value: "LOGIN", doc: "Who you are: login, or login@tenant." },
    vm: { type: "text", value: "DESKTOP", doc: "Name or id; asked for when there are several." },
    geometry: { type: "text", value: "WIDTHxHEIGHT", doc: "Size of the desktop; 1280x800 unless said." },
    link: { type: "text", value: "SPEED", doc: `One of ${LINKS.join(", ")}; adsl unless said.` },
    keyboard: { type: "text", value: "MODEL/LAYOUT", doc: "Such as pc105/es; your display's unless said." },
    ca: { type: "text", value: "FILE", doc: "PEM of an authority to believe besides those of the system." },
    "accept-certificate": {
      type: "text",
      value: "SHA256",
      doc: "Fingerprint of the broker's certificate, for scripts; takes the place of a changed one.",
    },
    "real-display": {
      type: "flag",
      doc: "Show the windows on your own display instead of in a window of their own: the desktop could then watch your keys and other windows.",
    },
    sound: { type: "flag", doc: "Let the desktop play on your loudspeaker." },
    microphone: { type: "flag", doc: "Let it hear your microphone as well; brings --sound." },
    print: { type: "flag", doc: "Offer the printers of your CUPS to the desktop." },
    share: {
      type: "text",
      value: "FOLDER",
      doc: "Let the desktop read and write this folder, as ~/Redirected/NAME.",
    },
    "share-read-only": { type: "text", value: "FOLDER", doc: "The same, to be read only." },
    profile: { type: "text", value: "NAME", doc: "Take what isn't said from this profile." },
    "list-profiles": { type: "flag", doc: "List the profiles that are kept, and end." },
    "save-profile": {
      type: "text",
      value: "NAME",
      doc: "Keep what is said, all but password, --accept-certificate and --real-display, and end.",
    },
  },
  details: [
    "The password is asked for, or read from stdin where there is no terminal; a second factor's code goes at its end. A certificate that no authority",
    "vouches for is shown once and must be the same ever after. The desktop has an X server of its own (Xephyr), and nothing of the PC beside",
    "its screen but what is asked for. A connection that breaks is made again. Closing the window leaves the session on the server, to be gone on with.",
  ].join(" "),
  examples: [
    "qvd connect --host desktops.example.org --user alice",
    "qvd connect --host desktops.example.org --user alice --vm work --save-profile work",
    "qvd connect --profile work",
    "qvd connect --profile work --sound --print --share ~/papers",
  ],
  exitCodes: {
    0: "left, or the session was ended from the other side",
    3: "not let in: wrong password, a certificate that is not believed, a desktop that is blocked or not yours",
    4: "broker or desktop can't be reached, or not again after a break",
  },
  faultCodes: {
    ...{ "not-signed-in": 3, forbidden: 3, blocked: 3, "not-found": 3 },
    ...{ unavailable: 4, timeout: 4, protocol: 4, conflict: 2 },
  },
  async run(io, args) {
    const folder = clientFolder(io.env);
    if (flag(args, "list-profiles")) return await showProfiles(io, folder);
    const saveAs = textOption(args, "save-profile");
    if (saveAs === undefined && (io.env.DISPLAY ?? "") === "")
      throw new AppError("bad-input", "there is no screen to show a desktop on: DISPLAY is not set");
    const given = await readGiven(io, args, folder);
    if (saveAs !== undefined) {
      io.err(`wrote ${await writeProfile(folder, saveAs, given)}\n`);
      return 0;
    }
    const place = parsePlace(given.host);
    const channels = await chooseChannels(choiceOf(given), io.env);
    const trusting = given.ca === undefined ? {} : { authorities: [readAuthority(given.ca)] };
    if (io.isTerminal) {
      requireNxproxy(environment(io));
      await meetBroker({ place, ...trusting, ...believing(io, args, { folder, place }), signal: io.signal });
    }
    const login = given.user ?? (await readAnswer(io, "Login: ", "--user LOGIN"));
    const password = await readPassword(io, `Password of ${login}: `);
    const options = {
      ...{ place, login, password, vm: given.vm, link: given.link ?? "adsl" },
      ...{
        geometry: given.geometry ?? "1280x800",
        keyboard: given.keyboard ?? (await readKeyboard(environment(io))),
      },
      ...{ ...trusting, channels },
    };
    await showDesktop(io, args, { options, folder });
    return 0;
  },
};

function describeEnd(end: ViewEnd): string {
  switch (end.kind) {
    case "closed":
      return "left";
    case "ended":
      return `the session was ended: ${end.why ?? "it is over, or goes on elsewhere"}`;
    case "lost":
      return "left; the session waits";
    default:
      return assertNever(end);
  }
}

type Wanted = {
  readonly options: Omit<ConnectOptions, "displayEnv" | "isFullscreen">;
  readonly folder: string;
};

async function showDesktop(io: CommandIo, args: CommandArgs, { options, folder }: Wanted): Promise<void> {
  const { place, geometry } = options;
  const own = environment(io);
  const isReal = flag(args, "real-display");
  if (isReal)
    io.err(
      "warning: on your real display the desktop can see your keys and every other window; end it when you leave it\n",
    );
  const title = `${options.vm ?? options.login} - ${place.host}`;
  const display = isReal ? undefined : await openOwnDisplay({ env: own, geometry, title });
  const stop = new AbortController();
  io.signal.addEventListener("abort", () => stop.abort(io.signal.reason), { once: true });
  void display?.closed.then(() => stop.abort(new Error("the window was closed")));
  try {
    const end = await runConnect(
      { ...options, displayEnv: display?.env ?? own, isFullscreen: !isReal },
      {
        say: (text) => io.err(`${text}\n`),
        ...believing(io, args, { folder, place }),
        choose: (desktops) => chooseByPerson(io, desktops),
        signal: stop.signal,
      },
    );
    io.err(`${describeEnd(end)}\n`);
  } finally {
    await display?.close();
  }
}

async function readGiven(io: CommandIo, args: CommandArgs, folder: string): Promise<Profile> {
  const name = textOption(args, "profile");
  const kept = name === undefined ? undefined : await readProfile(folder, name);
  const host =
    textOption(args, "host") ??
    kept?.host ??
    (await readAnswer(io, "Broker, as HOST or HOST:PORT: ", "--host HOST, or --profile NAME")).trim();
  parsePlace(host);
  const fields = ["user", "vm", "geometry", "link", "keyboard"] as const;
  const said = fields.map((field) => [field, textOption(args, field) ?? kept?.[field]] as const);
  const ca = textOption(args, "ca");
  // A profile is used from other folders, too.
  const authority = ca === undefined ? kept?.ca : resolve(ca);
  const flags = FLAGS.map((name) => [name, flag(args, name) || kept?.[name]] as const);
  const shares = SHARES.map((name) => {
    const text = textOption(args, name);
    return [name, text === undefined ? kept?.[name] : resolve(text)] as const;
  });
  const known = [...said, ...flags, ...shares, ["ca", authority] as const].filter(
    ([, value]) => value !== undefined,
  );
  const profile = { host, ...Object.fromEntries(known) };
  requireSane(profile);
  return profile;
}

const FLAGS = ["sound", "microphone", "print"] as const;
const SHARES = ["share", "share-read-only"] as const;

function choiceOf({ sound, microphone, print, share, ...more }: Profile) {
  return {
    ...{ sound: sound === true, microphone: microphone === true, print: print === true },
    ...{ share, shareReadOnly: more["share-read-only"] },
  };
}

async function showProfiles(io: CommandIo, folder: string): Promise<number> {
  const profiles = await listProfiles(folder);
  if (profiles.length === 0) io.err("there is no profile; --save-profile NAME makes one\n");
  for (const { name, profile } of profiles) {
    const said = Object.entries(profile).map(([key, value]) =>
      value === true ? `--${key}` : `--${key} ${value}`,
    );
    io.out(`${name}\t${said.join(" ")}\n`);
  }
  return 0;
}

function requireSane({ geometry, link, keyboard }: Profile): void {
  const refuse = (field: string, words: string) => {
    throw new AppError("bad-input", `--${field} ${words}`, { field });
  };
  if (geometry !== undefined && !/^[1-9]\d{2,4}x[1-9]\d{2,4}$/.test(geometry))
    refuse("geometry", `${geometry} is no size such as 1280x800`);
  if (link !== undefined && !LINKS.includes(link)) refuse("link", `${link} is none of ${LINKS.join(", ")}`);
  if (keyboard !== undefined && !/^[\w+-]{1,32}\/[\w+-]{1,32}$/.test(keyboard))
    refuse("keyboard", `${keyboard} is no keyboard such as pc105/es`);
}

/** `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`. */
function parsePlace(text: string): Place {
  const [, six, name, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = six ?? name;
  const number = Number(port ?? DEFAULT_PORT);
  if (/^[a-z]+:\/\//i.test(text))
    throw new AppError(
      "bad-input",
      `--host ${text} is the address of a page; say the host alone, or HOST:PORT`,
      {
        field: "host",
      },
    );
  if (host === undefined || number < 1 || number > 65_535)
    throw new AppError("bad-input", `--host ${text} is no HOST or HOST:PORT`, { field: "host" });
  // What was accepted of it is kept by its name.
  return { host: host.toLowerCase(), port: number };
}

function readAuthority(file: string): string {
  const refuse = (why: string, cause: unknown) =>
    new AppError("bad-input", `--ca ${file} ${why}`, { field: "ca", cause });
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw refuse("can't be read", cause);
  }
  try {
    new X509Certificate(text);
  } catch (cause) {
    throw refuse("is no certificate in PEM", cause);
  }
  return text;
}

function environment({ env }: CommandIo): Record<string, string> {
  const known = ["DISPLAY", "XAUTHORITY", "PATH", "LANG", "XDG_RUNTIME_DIR"];
  const own: Record<string, string> = Object.fromEntries(
    known.map((name) => [name, env[name] ?? ""] as const).filter(([, value]) => value !== ""),
  );
  // Where X's programs look by themselves, in a home that they don't get.
  const usual = join(env.HOME ?? "/", ".Xauthority");
  return own.XAUTHORITY === undefined && existsSync(usual) ? { ...own, XAUTHORITY: usual } : own;
}

/** By what is kept in the folder, else by whoever sits there. */
function believing(io: CommandIo, args: CommandArgs, at: { readonly folder: string; readonly place: Place }) {
  const place = `${at.place.host}:${at.place.port}`;
  return {
    requireTrust: (shown: ShownCertificate) => requireTrust(shown, { io, args, folder: at.folder, place }),
  };
}

type TrustQuestion = {
  readonly io: CommandIo;
  readonly args: CommandArgs;
  readonly folder: string;
  readonly place: string;
};

async function requireTrust(
  shown: ShownCertificate,
  { io, args, folder, place }: TrustQuestion,
): Promise<void> {
  const decision = decideTrust(shown, await readPin(folder, place));
  if (decision.kind === "trusted") return;
  const given = textOption(args, "accept-certificate");
  if (given !== undefined && isFingerprint(given, shown.fingerprint)) {
    await writePin(folder, place, shown.fingerprint);
    return;
  }
  const told = `  SHA-256 ${shown.fingerprint}\n`;
  if (decision.kind === "changed") {
    io.err(
      `WARNING: the certificate of ${place} is another than the one you accepted. Somebody may be listening in.\n${told}  before  ${decision.pinned}\n`,
    );
    throw new AppError(
      "forbidden",
      `not connected to ${place}: its certificate has changed. Ask its administrator; if it was renewed, say --accept-certificate with its new fingerprint, or remove the old one from ${pinFile(folder)}`,
    );
  }
  io.err(`${decision.why}. Its fingerprint is\n${told}`);
  if (given !== undefined)
    throw new AppError(
      "forbidden",
      `not connected: --accept-certificate names another certificate than ${place} shows`,
    );
  if (!io.isTerminal)
    throw new AppError(
      "forbidden",
      "not connected: nobody is there to compare it; say --accept-certificate, or --ca",
    );
  const answer = await readAnswer(
    io,
    "Is that the one your administrator told you? Type yes to keep it: ",
    "--accept-certificate SHA256",
  );
  if (answer.trim().toLowerCase() !== "yes")
    throw new AppError("forbidden", "not connected: the certificate was not accepted");
  await writePin(folder, place, shown.fingerprint);
}

async function chooseByPerson(io: CommandIo, desktops: readonly ListedDesktop[]): Promise<ListedDesktop> {
  const hasTwin = ({ name }: ListedDesktop) => desktops.filter((one) => one.name === name).length > 1;
  const nameOf = (one: ListedDesktop) => (hasTwin(one) ? `${one.name} (id ${one.id})` : one.name);
  const names = desktops.map(nameOf).join(", ");
  if (!io.isTerminal)
    throw new AppError("bad-input", `which one? Say --vm with one of ${names}`, { field: "vm" });
  desktops.forEach((one, index) => {
    io.err(`  ${index + 1}  ${nameOf(one)}, ${one.state}\n`);
  });
  for (let tries = 1; ; tries++) {
    const answer = (await readAnswer(io, "Which one? ", "--vm DESKTOP")).trim();
    const chosen = desktops[Number(answer) - 1] ?? desktops.find((one) => nameOf(one) === answer);
    if (chosen !== undefined) return chosen;
    const slip = `${answer === "" ? "that" : answer} is none of them: ${names}`;
    if (tries === MOST_SLIPS) throw new AppError("bad-input", slip, { field: "vm" });
    // Their password was typed for this: a slip of the finger shouldn't ask for it again.
    io.err(`${slip}\n`);
  }
}

const MOST_SLIPS = 5;
