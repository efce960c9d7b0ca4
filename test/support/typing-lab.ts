/**
 * A lab of several nodes whose desktops write down what is typed into them, for long tests: people sit at them by any
 * box's broker, and what arrived is read in their homes.
 */

import { fileURLToPath } from "node:url";
import type { Screen } from "../../bench/screen.ts";
import { hashPassword } from "../../src/auth/password.ts";
import type { VmId } from "../../src/domain/ids.ts";
import { runOk } from "../../src/lib/run.ts";
import { packDesktop, TYPED_FILE } from "./fault-images.ts";
import { LAB_PASSWORD } from "./lab-desktops.ts";
import { ManyNodes, type ManyNodesOptions } from "./many-nodes.ts";
import { Visit } from "./nx-visit.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BUILD_MS = 120_000;
const BROKER_PORT = 8443;
const SHOWN_MS = 60_000;
const DESKTOP_MB = 512;
const ARCHIVE = "desktop.tar.zst";

/** What such a lab is waited for with, whatever else the machine does. */
export const SOON = { timeoutMs: 120_000, everyMs: 100 };

/** The executable is that of QVD_TEST_EXECUTABLE, or built. */
export async function createTypingLab(options: Omit<ManyNodesOptions, "executable">): Promise<ManyNodes> {
  const built = process.env.QVD_TEST_EXECUTABLE;
  if (built === undefined)
    await runOk("building", [process.execPath, "run", "build.ts"], { cwd: ROOT, timeoutMs: BUILD_MS });
  const lab = await ManyNodes.create({ ...options, executable: built ?? `${ROOT}/dist/qvd` });
  try {
    await packDesktop(archiveOf(lab));
    return lab;
  } catch (error) {
    await lab.dispose();
    throw error;
  }
}

/** Their people are p1, p2 and so on; they are wished running when it returns. */
export async function addTypingDesktops(lab: ManyNodes, count: number): Promise<void> {
  await lab.addDesktops(count, {
    archive: archiveOf(lab),
    fileName: ARCHIVE,
    memoryMb: DESKTOP_MB,
    hashPassword,
  });
}

export function desktopAt(lab: ManyNodes, index: number): VmId {
  const vmId = lab.desktops[index];
  if (vmId === undefined) throw new Error(`the lab has no desktop ${index}`);
  return vmId;
}

/** The person of that desktop, by the broker of that node; resolves when its window is seen. */
export function sitDownAt(
  lab: ManyNodes,
  screen: Screen,
  { desktop, node }: { readonly desktop: number; readonly node: number },
): Promise<Visit> {
  const person = { login: `p${desktop + 1}@lab`, password: LAB_PASSWORD, vmId: desktopAt(lab, desktop) };
  const host = `${lab.options.network}.${node + 1}`;
  return Visit.open(screen, BROKER_PORT, person, { host, shownMs: SHOWN_MS });
}

/** What was typed into it, line by line, by its home as the desktop sees it. */
export function readTyped(lab: ManyNodes, desktop: number): readonly string[] {
  return lab
    .readInside(desktopAt(lab, desktop), `home/p${desktop + 1}/${TYPED_FILE}`)
    .join("")
    .trim()
    .split("\n");
}

function archiveOf(lab: ManyNodes): string {
  return `${lab.folder}/${ARCHIVE}`;
}
