/**
 * A real desktop and a client beside it, for the tests of the session's channels: what a client asks for, what is
 * heard at either side, and what the desktop's trail would say.
 */

import { expect } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type GuestEvent,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { createGuestLab, type GuestLab, type LabPlace } from "./guest-lab.ts";
import { type ClientPorts, ClientSide, hearPitch } from "./peripherals-lab.ts";

export const KEY = `${"Kk0".repeat(21)}K`;
const BASIC = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false };
const AS_USER =
  "setpriv --reuid=2001 --regid=2001 --clear-groups env HOME=/home/bea XDG_RUNTIME_DIR=/run/user/2001";
/** A sound server that has just lost a part of it may leave a question unanswered for 30 s; it is asked again. */
const ASK_SECONDS = 10;
const RECORD = "--format=s16le --rate=8000 --channels=1 --latency-msec=20";

export class ChannelsLab {
  readonly desktop: GuestLab;
  readonly client: ClientSide;
  readonly failures: Extract<GuestEvent, { type: "channel-failed" }>[] = [];
  readonly #channels: GuestChannels;
  readonly #place: LabPlace;
  #proxy: Bun.Subprocess | undefined;
  #session = 0;

  private constructor(place: LabPlace, desktop: GuestLab, client: ClientSide) {
    this.#place = place;
    this.desktop = desktop;
    this.client = client;
    this.#channels = createGuestChannels({
      log: silentLog(),
      clock: systemClock,
      onEvent: (_vmId, event) => {
        if (event.type === "channel-failed") this.failures.push(event);
      },
    });
    this.#channels.open(desktop.vmId, { socketPath: desktop.socketPath, ownerUid: desktop.ownerUid });
  }

  /** `archive` is the desktop's root. */
  static async open(place: LabPlace, ports: ClientPorts, archive: string): Promise<ChannelsLab> {
    const desktop = await createGuestLab({ place, archive, hasSession: true });
    const lab = new ChannelsLab(place, desktop, await ClientSide.start(ports, place.screen));
    await desktop.start();
    const isThere = () => lab.#channels.read(desktop.vmId)?.address !== null;
    await waitFor(isThere, { timeoutMs: 30_000, everyMs: 20 });
    return lab;
  }

  get xState() {
    return this.#channels.read(this.desktop.vmId)?.xState;
  }

  /** A session of bea's, as a stock client with those parameters and channels has it. */
  async connect(
    given: Readonly<Record<string, string>>,
    offered: readonly (keyof ClientPorts)[],
  ): Promise<void> {
    await this.#prepare(given);
    this.#proxy = this.client.connect(`${this.#place.network}.10`, offered);
    expect(await this.#becomes("connected")).toBe(true);
  }

  /** The same while another client is there still. */
  async takeOver(
    given: Readonly<Record<string, string>>,
    offered: readonly (keyof ClientPorts)[],
  ): Promise<void> {
    const before = this.#proxy;
    await this.#prepare(given);
    if (before !== undefined) await this.client.stopProxy(before);
    this.#proxy = this.client.connect(`${this.#place.network}.10`, offered);
    expect(await this.#becomes("connected")).toBe(true);
  }

  /** The same by a browser: its NX client has to go in any case. */
  async takeOverByBrowser(): Promise<void> {
    const before = this.#proxy;
    // The image has nothing that shows it to a browser.
    await this.#prepare({}, "browser").catch(() => {});
    if (before !== undefined) await this.client.stopProxy(before);
    expect(await this.#becomes("suspended")).toBe(true);
  }

  async #prepare(given: Readonly<Record<string, string>>, access?: "browser"): Promise<void> {
    const request: PrepareRequest = {
      session: ++this.#session,
      account: { login: "bea", uid: 2001, fullName: "Bea" },
      client: { ...BASIC, given },
      accept: `${this.#place.network}.1`,
      slaveKey: KEY,
      ...(access === undefined ? {} : { access }),
    };
    this.failures.length = 0;
    await this.#channels.prepareSession(this.desktop.vmId, request);
  }

  async leave(): Promise<void> {
    if (this.#proxy !== undefined) await this.client.stopProxy(this.#proxy);
    expect(await this.#becomes("suspended")).toBe(true);
  }

  /** The client's nxproxy stands still, as a line does that is lost for a while. */
  halt(): void {
    this.#proxy?.kill("SIGSTOP");
  }

  goOn(): void {
    this.#proxy?.kill("SIGCONT");
  }

  /** What a shell text says that the session's user runs in the desktop. */
  asUser(text: string): Promise<string> {
    return this.desktop.inside(`${AS_USER} sh -c '${text}' 2>&1`);
  }

  /** The same, at last or when time is up. */
  async awaitInside(text: string, wanted: RegExp, timeoutMs = 60_000): Promise<string> {
    let said = "";
    const isSaid = async () => {
      said = await this.desktop.inside(
        `timeout --kill-after=1 ${ASK_SECONDS} ${AS_USER} sh -c '${text}' 2>&1`,
      );
      return wanted.test(said);
    };
    await waitFor(isSaid, { timeoutMs, everyMs: 200 });
    return said;
  }

  /** Plays a tone of 400 Hz in the desktop for ever, as a program that asks for no sink by name. */
  async playTone(): Promise<void> {
    const second = Int16Array.from({ length: 8_000 }, (_, at) => 12_000 * Math.sin((2 * Math.PI * at) / 20));
    const wave = Buffer.from(second.buffer).toString("base64");
    await this.desktop.inside(`echo ${wave} | base64 -d > /home/bea/wave`);
    const play = "while cat /home/bea/wave; do :; done | pacat --format=s16le --rate=8000 --channels=1";
    await this.asUser(`(${play}) > /dev/null 2>&1 &`);
  }

  /** At the client's loudspeaker. */
  async isHeard(hertz: number): Promise<boolean> {
    const isLoud = async () => isPitch(await this.client.record(1_200), hertz);
    return (await waitFor(isLoud, { timeoutMs: 60_000, everyMs: 50 })) === true;
  }

  /** By a program of the desktop that records from that source. */
  async isHeardInside(source: string, hertz: number): Promise<boolean> {
    const isLoud = async () => {
      await this.asUser(`timeout 2 parec -d ${source} ${RECORD} > /home/bea/heard`);
      const bytes = Buffer.from(await this.desktop.inside("base64 -w0 /home/bea/heard"), "base64");
      return isPitch(new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1), hertz);
    };
    return (await waitFor(isLoud, { timeoutMs: 60_000 })) === true;
  }

  async stop(): Promise<void> {
    await this.client.stop();
    this.#channels.closeAll();
    await this.desktop.stop();
  }

  /** Of a channel, in the trail. */
  async awaitFailure(): Promise<void> {
    expect(await waitFor(() => this.failures.length > 0, { timeoutMs: 120_000, everyMs: 50 })).toBe(true);
  }

  async #becomes(xState: string): Promise<boolean> {
    return (await waitFor(() => this.xState === xState, { timeoutMs: 60_000, everyMs: 20 })) === true;
  }
}

/** Silence has no loudness at all; a tone that a busy machine plays in pieces has less than a whole one, of 12,000. */
function isPitch(samples: Int16Array, wanted: number): boolean {
  const { hertz, loudness } = hearPitch(samples);
  return Math.abs(hertz - wanted) <= 5 && loudness > 300;
}
