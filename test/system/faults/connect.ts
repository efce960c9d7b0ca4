/** Our own client, as a person starts it: in a window of its own on their screen, and back by itself after a break. */

import { expect, test } from "bun:test";
import { parseColour } from "../../../bench/screen.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { WINDOW_COLOUR } from "../../support/fault-images.ts";
import type { FaultLab } from "../../support/fault-lab.ts";

const COLOUR = parseColour(WINDOW_COLOUR);

export function testConnect(lab: () => FaultLab): void {
  test("shows the desktop, and shows it again when its broker was killed", async () => {
    const { box, screen, alice } = lab();
    const authority = ["--ca", box.layout.caCertificate, "--host", `localhost:${box.brokerPort}`];
    const client = Bun.spawn([box.executable, "connect", ...authority, "--user", alice.login], {
      env: { ...box.env(), ...screen.env },
      stdin: new TextEncoder().encode(`${alice.password}\n`),
      stdout: "ignore",
      stderr: "pipe",
    });
    const said = new Response(client.stderr).text();
    try {
      expect(await sees(true)).toBe(true);
      const isOpen = async () => (await lab().openSessions(alice.vmId))[0];
      const session = await waitFor(isOpen, { timeoutMs: 30_000 });
      expect(session).toBeDefined();
      await box.killPart(session?.broker_worker === "broker-2" ? "broker-2" : "broker-1");
      const isAnother = async () => {
        const [next] = await lab().openSessions(alice.vmId);
        return next !== undefined && next.id !== session?.id;
      };
      expect(await waitFor(isAnother, { timeoutMs: 30_000 })).toBe(true);
      expect(await sees(true)).toBe(true);
    } finally {
      client.kill("SIGTERM");
      await client.exited;
    }
    expect(await said).toMatch(
      /connected to [\s\S]*connecting again[\s\S]*connected to [\s\S]*the session waits/,
    );
    expect(await sees(false)).toBe(true);
  }, 120_000);

  async function sees(isThere: boolean): Promise<boolean> {
    const isSo = async () => (await lab().screen.readCover(COLOUR)) > 0.1 === isThere;
    return (await waitFor(isSo, { timeoutMs: 30_000, everyMs: 100 })) === true;
  }
}
