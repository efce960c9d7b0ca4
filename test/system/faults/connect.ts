/** Our own client, as a person starts it: in a window of its own on their screen. */

import { expect, test } from "bun:test";
import { parseColour } from "../../../bench/screen.ts";
import { waitFor } from "../../../src/lib/wait.ts";
import { WINDOW_COLOUR } from "../../support/fault-images.ts";
import type { FaultLab } from "../../support/fault-lab.ts";

const COLOUR = parseColour(WINDOW_COLOUR);

export function testConnect(lab: () => FaultLab): void {
  test("shows the desktop, says so when its broker is killed, and shows it again", async () => {
    const { box, screen, alice } = lab();
    const authority = ["--ca", box.layout.caCertificate, "--host", `localhost:${box.brokerPort}`];
    const connect = () =>
      Bun.spawn([box.executable, "connect", ...authority, "--user", alice.login], {
        env: { ...box.env(), ...screen.env },
        stdin: new TextEncoder().encode(`${alice.password}\n`),
        stdout: "ignore",
        stderr: "pipe",
      });
    const first = connect();
    const isOpen = async () => (await lab().openSessions(alice.vmId))[0];
    const session = await waitFor(isOpen, { timeoutMs: 30_000 });
    expect(await sees(true)).toBe(true);
    await box.killPart(session?.broker_worker === "broker-2" ? "broker-2" : "broker-1");
    // The kernel ends a killed broker's connections in order, so that this looks like any end from there.
    expect(await first.exited).toBe(0);
    expect(await new Response(first.stderr).text()).toMatch(/connected to [\s\S]*the session was ended/);
    expect(await sees(false)).toBe(true);
    const second = connect();
    expect(await sees(true)).toBe(true);
    second.kill("SIGTERM");
    await second.exited;
    expect(await new Response(second.stderr).text()).toMatch(/connected to [\s\S]*the session waits/);
    expect(await sees(false)).toBe(true);
  }, 120_000);

  async function sees(isThere: boolean): Promise<boolean> {
    const isSo = async () => (await lab().screen.readCover(COLOUR)) > 0.1 === isThere;
    return (await waitFor(isSo, { timeoutMs: 30_000, everyMs: 100 })) === true;
  }
}
