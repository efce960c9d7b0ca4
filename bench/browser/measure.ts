/** One server at one size: its scenes one after the other, by a browser of its own. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { LineSplitter } from "../../src/lib/lines.ts";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import type { Counted } from "./line.ts";
import type { SceneName } from "./scene.ts";
import type { BrowserServer, Size } from "./server.ts";
import { readUses, spentBetween } from "./spent.ts";
import { delaysOf, findStamp, startWatching, type Watched, watchFor } from "./watch.ts";

export type Shown = {
  readonly framesPerSecond: number;
  /** To the browser. */
  readonly kBPerSecond: number;
  /** Processors that the server's side kept busy. */
  readonly processors: number;
  /** The same by program, the busiest first; those that did next to nothing are left out. */
  readonly byProgram: Readonly<Record<string, number>>;
};

export type Typed = { readonly delaysMs: readonly number[]; readonly lost: number };

export type Seat = {
  show(scene: Exclude<SceneName, "keys">, seconds: number): Promise<Shown>;
  type(keys: number): Promise<Typed>;
  readonly page: Page;
  leave(): Promise<void>;
};

const LINE_PORT = 28_800;
/** Of a processor. */
const LEAST_TOLD = 0.001;

/** Sits down at a server's desktop, over a line that delays each way by `delayMs`. */
export async function sitDown(server: BrowserServer, size: Size, delayMs: number): Promise<Seat> {
  const line = await startLine(server, delayMs);
  const browser = await startBrowser(server);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: size });
  const page = await context.newPage();
  const leave = async () => {
    await browser.close();
    await line.close();
  };
  try {
    await server.open(page, LINE_PORT);
    await startWatching(page);
  } catch (error) {
    await leave();
    throw error;
  }
  const during = async <T>(scene: SceneName, work: () => Promise<T>) => {
    const stop = await startScene(server, scene, { page, size });
    try {
      return await work();
    } finally {
      await stop();
    }
  };
  return {
    page,
    leave,
    show: (scene, seconds) => during(scene, () => measure({ server, line, page }, seconds)),
    type: (keys) => during("keys", () => press(page, keys)),
  };
}

type Parts = { readonly server: BrowserServer; readonly line: Line; readonly page: Page };

async function measure({ server, line, page }: Parts, seconds: number): Promise<Shown> {
  // The first pictures of a scene are another matter than its run.
  await page.waitForTimeout(1_500);
  const [bytes, busy, start] = [await line.read(), readUses(server.listPids()), performance.now()];
  const watched = await watchFor(page, () => page.waitForTimeout(seconds * 1000));
  const tookSeconds = (performance.now() - start) / 1000;
  const bytesAfter = await line.read();
  const byProgram = spentBetween(busy, readUses(server.listPids()));
  return {
    framesPerSecond: watched.seenAt.length / tookSeconds,
    kBPerSecond: (bytesAfter.toBrowser - bytes.toBrowser) / 1000 / tookSeconds,
    processors: [...byProgram.values()].reduce((all, one) => all + one, 0) / tookSeconds,
    byProgram: Object.fromEntries(
      [...byProgram]
        .map(([name, seconds]) => [name, seconds / tookSeconds] as const)
        .filter(([, processors]) => processors >= LEAST_TOLD)
        .sort(([, one], [, other]) => other - one),
    ),
  };
}

/** At intervals that no timer of a server's could fall into step with. */
async function press(page: Page, keys: number): Promise<Typed> {
  const watched: Watched = await watchFor(page, async () => {
    for (let key = 0; key < keys; key++) {
      await page.keyboard.press("a");
      await page.waitForTimeout(230 + ((key * 37) % 101));
    }
    await page.waitForTimeout(500);
  });
  const delaysMs = delaysOf(watched);
  return { delaysMs, lost: keys - delaysMs.length };
}

async function startScene(
  server: BrowserServer,
  scene: SceneName,
  { page, size }: { readonly page: Page; readonly size: Size },
): Promise<() => Promise<void>> {
  const extent = [`${size.width}`, `${size.height}`];
  const words = [process.execPath, join(import.meta.dir, "scene.ts"), server.socket, scene, ...extent];
  const child = Bun.spawn(words, {
    env: { ...CLEAN_ENV },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "inherit",
  });
  const stop = async () => {
    child.stdin.end();
    child.kill();
    await child.exited;
  };
  if (await waitFor(() => findStamp(page), { timeoutMs: 15_000, everyMs: 200 })) return stop;
  await stop();
  throw new Error(`${server.name} did not show the scene ${scene}`);
}

type Line = { read(): Promise<Counted>; close(): Promise<void> };

async function startLine(server: BrowserServer, delayMs: number): Promise<Line> {
  const words = [process.execPath, join(import.meta.dir, "line.ts"), LINE_PORT, server.port, delayMs];
  const child = Bun.spawn([...server.beside, ...words.map(String)], {
    env: { ...CLEAN_ENV },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = readLines(child.stdout);
  await lines.next();
  return {
    async read() {
      child.stdin.write("\n");
      await child.stdin.flush();
      return JSON.parse((await lines.next()).value ?? "");
    },
    async close() {
      child.kill();
      await child.exited;
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const splitter = new LineSplitter(1000);
  for await (const chunk of stream)
    for (const line of splitter.push(chunk)) if (line !== null) yield String(line);
  return undefined;
}

async function startBrowser(server: BrowserServer) {
  const folder = mkdtempSync(join(tmpdir(), "qvd-bench-chromium-"));
  const program = join(folder, "chromium");
  writeFileSync(program, `#!/bin/sh\nexec ${[...server.beside, "/usr/bin/chromium"].join(" ")} "$@"\n`);
  chmodSync(program, 0o755);
  // By itself it ends the benchmark at a signal, and the box would be left behind.
  const signals = { handleSIGINT: false, handleSIGTERM: false };
  const args = ["--no-sandbox", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath: program, args, ...signals });
  browser.on("disconnected", () => rmSync(folder, { recursive: true, force: true }));
  return browser;
}
