/** The LXC driver with an image that brings systemd: the same contract, and what only a systemd does. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, readFile } from "node:fs/promises";
import { describeHypervisor } from "../../src/hypervisor/contract.ts";
import { SYSTEMD_INIT } from "../../src/hypervisor/lxc/systemd-files.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { buildDebianRoot } from "../support/debian-root.ts";
import { createDesktopLab, type DesktopLab } from "../support/desktop-lab.ts";

/** Takes a minute when it isn't in the cache. */
const archive = await buildDebianRoot({
  name: "systemd",
  packages: ["systemd-sysv", "dbus", "iproute2", "iputils-ping", "procps"],
  variant: "minbase",
});
const image = { archive, memoryMb: 256 };

describeHypervisor("lxc with systemd", () => createDesktopLab("hvy", "10.225.0.0/24", image));

describe("a desktop whose image brings systemd", () => {
  let lab: DesktopLab;
  beforeAll(async () => {
    lab = await createDesktopLab("hvz", "10.224.0.0/24", image);
  }, 180_000);
  afterAll(() => lab.dispose(), 180_000);

  const boot = async (script: string) => {
    const spec = await lab.prepareScript(`echo up >>/home/agent.log; ${script}`);
    await lab.hypervisor.start(spec, new AbortController().signal);
    expect(await waitFor(() => lab.hasBooted(spec.vmId), { timeoutMs: 30_000 })).toBe(true);
    return spec;
  };
  const isAlive = async (spec: Awaited<ReturnType<typeof boot>>) =>
    (await lab.hypervisor.observe()).get(spec.vmId)?.isAlive ?? false;

  test("comes up whole, with our agent as one of its services and its own id range", async () => {
    const spec = await boot("sleep 1000");
    const state = async () =>
      (await lab.inGuest(spec.vmId, "systemctl is-system-running")).stdout.trim() === "running";
    const isUp = await waitFor(state, { timeoutMs: 30_000 });
    expect((await lab.inGuest(spec.vmId, "systemctl --failed --no-legend")).stdout).toBe("");
    expect(isUp).toBe(true);
    const pid = await lab.init(spec.vmId);
    expect(await readFile(`/proc/${pid}/comm`, "utf8")).toBe("systemd\n");
    expect((await readFile(`/proc/${pid}/cmdline`, "utf8")).startsWith(SYSTEMD_INIT)).toBe(true);
    expect(await readFile(`/proc/${pid}/status`, "utf8")).toMatch(
      new RegExp(`^Uid:\\t${spec.idRange.first}\\t`, "m"),
    );
    const seen = await lab.inGuest(
      spec.vmId,
      "cat /etc/hostname /etc/resolv.conf; systemctl is-active qvd-agent dbus.socket",
    );
    expect(seen.stdout).toBe(`lab${spec.vmId}\nsearch office.test\nnameserver 192.0.2.53\nactive\nactive\n`);
  }, 180_000);

  test("starts its agent again, and what the agent left running goes on", async () => {
    const spec = await boot(
      "[ -e /run/kept ] || { echo $$ | tee /run/kept >/run/qvd-guest/session.json; setsid sleep 987 & }; sleep 0.3; echo again >>/home/agent.log; exit 1",
    );
    const log = async () => (await lab.inGuest(spec.vmId, "cat /home/agent.log")).stdout;
    expect(
      await waitFor(async () => ((await log()).match(/again/g)?.length ?? 0) >= 2, { timeoutMs: 30_000 }),
    ).toBe(true);
    expect((await lab.inGuest(spec.vmId, "pgrep -f '[s]leep 987' | wc -l")).stdout.trim()).toBe("1");
    // By which it finds a session again.
    const noted = await lab.inGuest(spec.vmId, "cmp /run/kept /run/qvd-guest/session.json && echo same");
    expect(noted.stdout).toBe("same\n");
  }, 180_000);

  test("powers off when its agent was asked to", async () => {
    const spec = await boot("sleep 1; exit 80");
    expect(await waitFor(async () => !(await isAlive(spec)), { timeoutMs: 30_000 })).toBe(true);
  }, 180_000);

  test("lets the node hear of a power-off that somebody inside asked systemd for, and not of the host's halt", async () => {
    const wait =
      "mkdir -p /run/qvd-guest; while [ ! -s /run/qvd-guest/power-off-request ]; do sleep 0.1; done; echo heard >>/home/agent.log; exit 80";
    const isHeard = async (spec: Awaited<ReturnType<typeof boot>>) =>
      (await readFile(`${spec.homeFolder}/agent.log`, "utf8")).includes("heard");
    const inside = await boot(wait);
    await lab.inGuest(inside.vmId, "systemctl poweroff");
    expect(await waitFor(async () => !(await isAlive(inside)), { timeoutMs: 30_000 })).toBe(true);
    expect(await isHeard(inside)).toBe(true);
    const halted = await boot(wait);
    await lab.hypervisor.halt(halted.vmId);
    expect(await waitFor(async () => !(await isAlive(halted)), { timeoutMs: 30_000 })).toBe(true);
    expect(await isHeard(halted)).toBe(false);
  }, 180_000);
});

test("our real agent attaches from within systemd, and tells of its power-off", async () => {
  const agent = new URL("../../dist/qvd", import.meta.url).pathname;
  const lab = await createDesktopLab("hvya", "10.222.0.0/24", { ...image, agent });
  try {
    const spec = await lab.prepareScript("");
    let heard = "";
    const server = Bun.listen({
      unix: `${spec.channelFolder}/guest.sock`,
      socket: {
        data(socket, chunk) {
          heard += chunk.toString();
          const attachment = /"type":"hello".*?"attachment":"([^"]+)"/.exec(heard)?.[1];
          if (attachment !== undefined && !heard.includes('"type":"session"'))
            socket.write(`\n{"type":"welcome","version":1,"attachment":"${attachment}"}\n`);
        },
      },
    });
    await chmod(`${spec.channelFolder}/guest.sock`, 0o666);
    await lab.hypervisor.start(spec, new AbortController().signal);
    expect(await waitFor(() => heard.includes('"type":"beat"'), { timeoutMs: 90_000 })).toBe(true);
    await lab.inGuest(spec.vmId, "systemctl poweroff");
    expect(await waitFor(() => heard.includes('"type":"powering-off"'), { timeoutMs: 30_000 })).toBe(true);
    const isGone = async () => (await lab.hypervisor.observe()).get(spec.vmId)?.isAlive !== true;
    expect(await waitFor(isGone, { timeoutMs: 30_000 })).toBe(true);
    server.stop(true);
  } finally {
    await lab.dispose();
  }
}, 180_000);
