/** Our own page on the QVD port: the desktop of a person of a box, whole, with its container and the box's processes. */

import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { CLEAN_ENV } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { visitPage } from "../../test/support/visit-page.ts";
import type { BenchBox, Person } from "../box.ts";
import { listProcesses } from "../processes.ts";
import { focusCanvas, namespaceOf } from "./peers.ts";
import { startRelay } from "./relay.ts";
import type { BrowserServer } from "./server.ts";

const X_SERVERS: readonly string[] = ["/usr/bin/Xtigervnc", "/usr/bin/nxagent"];

/** The desktop may be stopped: opening the page starts it, and only then is there an X server. */
export async function ourServer(box: BenchBox, person: Person): Promise<BrowserServer> {
  const { target } = box.whoIs(person);
  const network = await openNetwork();
  const relay = await startRelay(target.port);
  const place: { server: number | undefined } = { server: undefined };
  return {
    name: "QVD",
    get socket() {
      return `/proc/${place.server}/root/tmp/.X11-unix/X100`;
    },
    port: relay.socket,
    beside: network.beside,
    listPids() {
      const own = place.server === undefined ? undefined : namespaceOf(place.server);
      const inside = listProcesses().flatMap(({ pid }) => (namespaceOf(pid) === own ? [pid] : []));
      return [...inside, ...box.listProcesses().map(({ pid }) => pid)];
    },
    async open(page, line) {
      await enter(page, { address: `https://127.0.0.1:${line}`, person });
      place.server = await waitFor(() => findServer(box.instance), { timeoutMs: 10_000 });
      if (place.server === undefined) throw new Error("our desktop has no X server");
      await focusCanvas(page);
    },
    close: async () => {
      await relay.close();
      await network.close();
    },
  };
}

type Entrance = { readonly address: string; readonly person: Person };

async function enter(page: Page, { address, person }: Entrance): Promise<void> {
  await visitPage(page, `${address}/`);
  await page.fill("#login", person.login);
  await page.fill("#password", person.password);
  await page.click("button[type=submit]");
  // Whoever goes on before the answer takes its place, and isn't signed in.
  await page.waitForSelector(".desktop-list");
  await visitPage(page, `${address}/desktop/${person.vmId}`);
  await page.waitForSelector("main[data-shown]", { timeout: 60_000 }).catch(async (cause: unknown) => {
    throw new Error(`our page shows no desktop, but: ${await page.textContent("body")}`, { cause });
  });
  await page.waitForTimeout(3_000);
}

/**
 * A network for our browser alone: Chromium breaks its connections off whenever an interface of its network comes or
 * goes, as those of desktops do. Peers have one anyway.
 */
async function openNetwork(): Promise<{ readonly beside: readonly string[]; close(): Promise<void> }> {
  const words = [
    "unshare",
    "--net",
    "--kill-child",
    "sh",
    "-c",
    "ip link set lo up; echo up; exec sleep infinity",
  ];
  const child = Bun.spawn(words, {
    env: { ...CLEAN_ENV },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  await child.stdout.getReader().read();
  return {
    beside: ["nsenter", `--target=${child.pid}`, "--net"],
    async close() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The desktop's X server, by the control group that its instance names. */
function findServer(instance: string): number | undefined {
  const isServer = ([program = ""]: readonly string[]) => X_SERVERS.includes(program);
  return listProcesses().find(({ pid, command }) => isServer(command) && isOf(pid, instance))?.pid;
}

function isOf(pid: number, instance: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(instance);
  } catch {
    // It ended meanwhile.
    return false;
  }
}
