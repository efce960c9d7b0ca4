/**
 * A whole box with a person's Debian machine, and that person's PC: `qvd connect` on a screen with a Spanish keyboard, a
 * loudspeaker, a microphone, a printer and a folder, and a browser. What happens inside the machine is told by files in that folder.
 */

import { existsSync } from "node:fs";
import { chmod, chown, copyFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Colour, coverOf, parseColour } from "../../../bench/screen.ts";
import { run, runOk } from "../../../src/lib/run.ts";
import { sleep, waitFor } from "../../../src/lib/wait.ts";
import { addPerson } from "../../support/fault-lab.ts";
import type { Person } from "../../support/nx-visit.ts";
import { LISTEN } from "../../support/page-pitch.ts";
import { visitPage } from "../../support/visit-page.ts";
import { WholeBox } from "../../support/whole-box.ts";
import { ClientSide, type ConnectingClient } from "../peripherals-lab.ts";

const PORTS = { media: 27_151, cups: 27_152, slave: 27_153 };
const SCREEN = ":79";
export const BACKGROUND = parseColour("#24476b");
/** Debian's `nobody`, whose client it is. */
const UID = 65534;
export const BUILD_MS = 900_000;
/** Emulated, and perhaps beside others. */
export const BOOT_MS = 400_000;
export const SLOW_MS = 300_000;

export class MachineDoor {
  readonly box: WholeBox;
  readonly client: ClientSide;
  readonly anna: Person;
  /** On the PC; its files are read by their names. */
  readonly folder: string;
  #browser: Browser | undefined;

  /** Resolves when the box is up and knows person and machine; nothing runs yet. */
  static async open(jobs: Readonly<Record<string, string | Uint8Array>>): Promise<MachineDoor> {
    const box = await WholeBox.create({
      ...{ instance: "mchdoor", cidr: "10.212.0.0/16", ports: { broker: 27_331, admin: 27_332 } },
      ...{ startTimeoutSeconds: 100, diskMb: 6_000 },
    });
    try {
      const script = fileURLToPath(new URL("../../../script/build-image", import.meta.url));
      const env = { QVD_EXECUTABLE: process.env.QVD_EXECUTABLE ?? box.executable };
      const image = await runOk("building the image", [script, "machine"], { timeoutMs: BUILD_MS, env });
      await box.start();
      await box.qvdOk("tenant", "create", "default");
      const password = await box.qvdOk("administrator", "create", "admin", "--generate");
      await box.qvd(["admin", "sign-in", "admin"], password);
      const size = ["--memory", "768", "--cpus", "2", "--home-limit", "512"];
      await box.qvdOk("osf", "create", "debian", "--hypervisor", "kvm", ...size);
      await box.qvdOk("image", "add", image.trim(), "--osf", "debian", "--tag", "default");
      const anna = await addPerson(box, "anna", "debian");
      const client = await ClientSide.start(PORTS, SCREEN);
      await runOk("giving the PC its keyboard", ["setxkbmap", "-display", SCREEN, "-layout", "es"]);
      const folder = await client.makeFolder("papers");
      for (const [name, content] of Object.entries(jobs)) {
        await writeFile(`${folder}/${name}`, content);
        await chown(`${folder}/${name}`, UID, UID);
      }
      await copyFile(box.layout.caCertificate, `${client.folder}/ca.pem`);
      await chmod(`${client.folder}/ca.pem`, 0o644);
      return new MachineDoor(box, client, { anna, folder });
    } catch (error) {
      await box.dispose();
      throw error;
    }
  }

  private constructor(box: WholeBox, client: ClientSide, has: { anna: Person; folder: string }) {
    this.box = box;
    this.client = client;
    this.anna = has.anna;
    this.folder = has.folder;
  }

  /** Started before anybody signs in: a broker waits no longer than an emulated machine may take beside others. */
  async boot(): Promise<boolean> {
    await this.box.qvdOk("vm", "start", "anna-desk");
    const isRunning = async () => {
      const { sql } = this.box.database;
      const rows = await sql`select 1 from vm_reports where vm_id = ${this.anna.vmId} and state = 'running'`;
      return rows.length > 0;
    };
    return (await waitFor(isRunning, { timeoutMs: BOOT_MS, everyMs: 200 })) === true;
  }

  connect(...words: readonly string[]): ConnectingClient {
    const place = ["--host", `localhost:${this.box.brokerPort}`, "--ca", `${this.client.folder}/ca.pem`];
    const who = ["--user", this.anna.login, "--real-display"];
    return this.client.qvdConnect([...place, ...who, ...words], this.anna.password);
  }

  async says(connecting: ConnectingClient, text: string): Promise<boolean> {
    const isOver = () => connecting.said().includes(text) || connecting.child.exitCode !== null;
    await waitFor(isOver, { timeoutMs: SLOW_MS, everyMs: 200 });
    return connecting.said().includes(text);
  }

  /** Whether the PC's screen comes to show this colour, or to show it no more. */
  async sees(colour: Colour, isThere = true): Promise<boolean> {
    const isSo = async () => (await this.shows(colour)) === isThere;
    return (await waitFor(isSo, { timeoutMs: SLOW_MS, everyMs: 200 })) === true;
  }

  async shows(colour: Colour): Promise<boolean> {
    return (await readCover(colour)) > 0.05;
  }

  async type(text: string): Promise<void> {
    // A Shift whose release was lost on the way is released by the next one's.
    await act("key", "Shift_L");
    await act("type", "--delay", "60", text);
    await act("key", "Return");
  }

  /** Types a line into a new terminal of the desktop, until it has had its effect. */
  async runThere(line: string, isDone: () => Promise<boolean>): Promise<boolean> {
    const tried = async () => {
      const before = await readCover(BACKGROUND);
      // It covers a part of the background, some seconds before its shell reads.
      const isOpen = async () => (await readCover(BACKGROUND)) < before - 0.05;
      const opens = async () => {
        await act("key", "super+t");
        return waitFor(isOpen, { timeoutMs: 15_000, everyMs: 500 });
      };
      await waitFor(opens, { timeoutMs: 60_000, everyMs: 500 });
      await sleep(4_000);
      await this.type(line);
      return (await waitFor(isDone, { timeoutMs: 60_000, everyMs: 250 })) === true;
    };
    return (await waitFor(tried, { timeoutMs: SLOW_MS, everyMs: 1_000 })) === true;
  }

  /** Types their password at a screen that shows this colour for as long as it is locked. */
  async unlock(locked: Colour): Promise<boolean> {
    const tried = async () => {
      // A key may be lost on the way into a machine that is slow; what stands there is wiped first.
      await act("key", "Escape");
      await this.type(this.anna.password);
      const isOpen = async () => !(await this.shows(locked));
      return (await waitFor(isOpen, { timeoutMs: 40_000, everyMs: 250 })) === true;
    };
    return (await waitFor(tried, { timeoutMs: SLOW_MS, everyMs: 1_000 })) === true;
  }

  /** Whether a file or folder of that name is in the folder. */
  has(name: string): boolean {
    return existsSync(`${this.folder}/${name}`);
  }

  async readFile(name: string): Promise<string> {
    return (await Bun.file(`${this.folder}/${name}`).text()).trim();
  }

  /** A browser of its own; with the person's desktop before it, or at another page of the door. */
  async browse(path = `/desktop/${this.anna.vmId}`, isSignedIn = true): Promise<Page> {
    this.#browser ??= await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    const viewport = { width: 1000, height: 700 };
    const page = await (await this.#browser.newContext({ ignoreHTTPSErrors: true, viewport })).newPage();
    await page.addInitScript(LISTEN);
    const door = `https://localhost:${this.box.brokerPort}`;
    if (isSignedIn) {
      await visitPage(page, `${door}/`);
      await page.fill("#login", this.anna.login);
      await page.fill("#password", this.anna.password);
      await page.click("button[type=submit]");
      await page.waitForSelector(".portal-main");
    }
    await visitPage(page, `${door}${path}`);
    return page;
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    await this.client.stop();
    await this.box.dispose();
  }
}

/** With the PC's keyboard and pointer. */
async function act(...words: readonly string[]): Promise<void> {
  await run(["xdotool", ...words], { env: { PATH: "/usr/bin:/bin", DISPLAY: SCREEN }, timeoutMs: SLOW_MS });
}

/** Share of the PC's screen that has this colour. */
async function readCover(colour: Colour): Promise<number> {
  const dump = Bun.spawn(["xwd", "-root", "-silent", "-display", SCREEN], { stderr: "ignore" });
  return coverOf(await new Response(dump.stdout).bytes(), colour);
}

/** Whether the page comes to show this colour on a good part of it, or to show it no more. */
export async function pageShows(
  page: Page,
  colour: Colour,
  isThere = true,
  timeoutMs = SLOW_MS,
): Promise<boolean> {
  const isSo = async () => (await findColour(page, colour)).count > 20_000 === isThere;
  return (await waitFor(isSo, { timeoutMs, everyMs: 250 })) === true;
}

/** In the middle of what has this colour, as long as a desktop that is emulated needs to see it. */
export async function clickColour(page: Page, colour: Colour): Promise<void> {
  const { x, y } = await findColour(page, colour);
  await page.mouse.move(x, y);
  await page.waitForTimeout(1_000);
  await page.mouse.click(x, y, { delay: 300 });
  await page.waitForTimeout(2_000);
}

/** How many pixels of the page's screen have this colour, and where their middle is on the page. */
async function findColour(page: Page, { red, green, blue }: Colour) {
  const script = `(() => {
    const canvas = document.querySelector("canvas");
    if (!canvas?.width || !canvas.height) return { count: 0, x: 0, y: 0 };
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    let [count, x, y] = [0, 0, 0];
    for (let at = 0; at < data.length; at += 4)
      if (data[at] === ${red} && data[at + 1] === ${green} && data[at + 2] === ${blue}) {
        count++;
        x += (at / 4) % width;
        y += Math.floor(at / 4 / width);
      }
    const place = canvas.getBoundingClientRect();
    const middle = (sum, size, all) => (sum / Math.max(1, count)) * (size / all);
    return { count, x: place.x + middle(x, place.width, width), y: place.y + middle(y, place.height, height) };
  })()`;
  return page.evaluate<{ readonly count: number; readonly x: number; readonly y: number }>(script);
}
