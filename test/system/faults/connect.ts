/** Our own client, as a person starts it: in a window of its own on their screen. */

import { expect, test } from "bun:test";
import { parseColour } from "../../../bench/screen.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { WINDOW_COLOUR } from "../../support/fault-images.ts";
import type { FaultLab } from "../../support/fault-lab.ts";

const COLOUR = parseColour(WINDOW_COLOUR);

export function testConnect(lab: () => FaultLab): void {
  test("shows the desktop, comes back after its broker was killed, and leaves it waiting", async () => {
    const { box, screen, alice } = lab();
    const authority = ["--ca", box.layout.caCertificate, "--host", `localhost:${box.brokerPort}`];
    const connecting = Bun.spawn([box.executable, "connect", ...authority, "--user", alice.login], {
      env: { ...box.env(), ...screen.env },
      stdin: new TextEncoder().encode(`${alice.password}\n`),
      stdout: "ignore",
      stderr: "pipe",
    });
    const openOther = async (than?: number) =>
      await waitFor(async () => (await lab().openSessions(alice.vmId)).find(({ id }) => id !== than), {
        timeoutMs: 60_000,
      });
    const session = await openOther();
    expect(await sees(true)).toBe(true);
    await box.killPart(session?.broker_worker === "broker-2" ? "broker-2" : "broker-1");
    // The kernel ends a killed broker's connections in order, as one does whose session is over; so the client asks.
    expect(await openOther(session?.id)).toBeDefined();
    expect(await sees(true)).toBe(true);
    connecting.kill("SIGTERM");
    await connecting.exited;
    const told = await new Response(connecting.stderr).text();
    expect(told).toMatch(
      /connected to [\s\S]*the connection was lost [\s\S]*connected to [\s\S]*the session waits/,
    );
    expect(await sees(false)).toBe(true);
    const left = await box.database.sql`select 1 from user_tokens where user_id =
      (select user_id from vms where id = ${alice.vmId}) and revoked_at is null`;
    expect(left.length).toBe(0);
  }, 240_000);

  async function sees(isThere: boolean): Promise<boolean> {
    const isSo = async () => (await lab().screen.readCover(COLOUR)) > 0.1 === isThere;
    return (await waitFor(isSo, { timeoutMs: 60_000, everyMs: 100 })) === true;
  }
}
