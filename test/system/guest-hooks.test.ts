/** The hooks of an image in a real desktop: real accounts, real nxagent, and what the node hears of it. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { describeError } from "../../src/lib/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type GuestEvent,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { createGuestLab, type GuestLab } from "./guest-lab.ts";

const GATEWAY = "172.29.39.1";
const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "hal", uid: 2001, fullName: "Hal" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "800x600", isFullscreen: false },
  accept: GATEWAY,
  slaveKey: "k",
  properties: { site: "berlin", note: "two words" },
};

let lab: GuestLab;
let channels: GuestChannels;
const failed: string[] = [];

beforeAll(async () => {
  lab = await createGuestLab({ place: { instance: "hooklab", network: "172.29.39", screen: ":72" } });
  channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, event: GuestEvent) => {
      if (event.type === "hook-failed") failed.push(`${event.hook}: ${event.text}`);
    },
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  await lab.start();
  // The lab's folder there is the host's; an image's would be its own.
  await lab.inside(
    "mv /etc/qvd /etc/qvd-lab; mkdir -p /etc/qvd/hooks; cp -a /etc/qvd-lab/session /etc/qvd/session",
  );
  await waitFor(() => channels.read(lab.vmId)?.isAttached === true, { timeoutMs: 60_000, everyMs: 20 });
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await lab?.stop();
}, 180_000);

const hook = (name: string, body: string) =>
  lab.inside(`cat > /etc/qvd/hooks/${name} <<'END'
#!/bin/sh
${body}
END
chmod 755 /etc/qvd/hooks/${name}`);
const said = () => lab.inside("cat /tmp/said 2>/dev/null || true");
const prepare = (more: Partial<PrepareRequest> = {}) =>
  channels.prepareSession(lab.vmId, { ...REQUEST, ...more }).then(
    () => "listening",
    (error) => describeError(error),
  );

// The tests are the chapters of one desktop's life, in this order.
describe("an image's hooks", () => {
  test("refuse a session, and the node hears why", async () => {
    await hook("pre-connect", "echo 'no licence left' >&2; exit 1");
    expect(await prepare()).toContain("no licence left");
    expect(failed).toEqual([
      "pre-connect: The hook pre-connect (/etc/qvd/hooks/pre-connect) ended with 1: no licence left",
    ]);
    expect(await lab.inside("getent passwd hal || echo nobody")).toContain("nobody");
  }, 120_000);

  test("make the account in the place of ours, and are told who for", async () => {
    for (const name of ["pre-connect", "connect", "after_add_user"])
      await hook(name, `echo "${name} $*" >> /tmp/said`);
    await hook(
      "add_user",
      `echo "add_user $*" >> /tmp/said; useradd -u 2001 -U -M -d /home/hal -s /bin/sh -c 'by the hook' hal`,
    );
    expect(await prepare()).toBe("listening");
    expect(await lab.inside("getent passwd hal")).toContain("by the hook");
    expect(await lab.inside("stat -c %U /home/hal")).toContain("hal");
    const lines = (await said()).trim().split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "pre-connect",
      "add_user",
      "after_add_user",
      "connect",
    ]);
    for (const line of lines) expect(line).toContain("site berlin note two words qvd.vm.user.name hal");
    expect(lines[0]).toContain("qvd.vm.session.state stopped qvd.hook.on_action pre_connect");
    expect(lines[1]).toContain("qvd.hook.on_provisioning add_user");
  }, 120_000);

  test("see the session's end, by the names in vma.conf too", async () => {
    await lab.inside("rm -f /tmp/said");
    await hook("disconnected", `echo "disconnected $*" >> /tmp/said`);
    await lab.inside(`printf '#!/bin/sh\\necho "stop $*" >> /tmp/said\\n' > /usr/local/bin/on-stop; chmod 755 /usr/local/bin/on-stop
printf 'vma.on_action.stop = /usr/local/bin/on-stop\\n' > /etc/qvd/vma.conf`);
    await channels.stopSession(lab.vmId);
    expect(
      await waitFor(async () => (await said()).includes("disconnected"), { timeoutMs: 60_000, everyMs: 100 }),
    ).toBe(true);
    const lines = (await said()).trim().split("\n");
    expect(lines[0]).toMatch(/^stop .*qvd\.vm\.session\.state listening qvd\.hook\.on_action stop$/);
    expect(lines[1]).toContain("qvd.hook.on_state disconnected");
  }, 120_000);

  test("hold up no power-off that the node insists on: the order fails, a signal to init doesn't", async () => {
    await hook("poweroff", "exit 7");
    const answer = await channels.powerOff(lab.vmId).then(
      () => "obeyed",
      (error) => describeError(error),
    );
    expect(answer).toContain("ended with 7");
    expect(await lab.isRunning()).toBe(true);
    expect(await lab.inside("cat /var/log/qvd-hooks.log")).toContain("no licence left");
  }, 120_000);
});
