/** What each sentence of a scenario does to the simulated site. */

import { sql } from "drizzle-orm";
import type { VmId } from "../../../src/domain/ids.ts";
import type { SimTraits } from "../../../src/hypervisor/sim/sim-hypervisor.ts";
import { describeError } from "../../../src/lib/errors.ts";
import { blockNode } from "../../../src/service/node/block.ts";
import { drainNode } from "../../../src/service/node/drain.ts";
import { unblockNode } from "../../../src/service/node/unblock.ts";
import { undrainNode } from "../../../src/service/node/undrain.ts";
import { requestSession } from "../../../src/service/session/request.ts";
import { blockVm } from "../../../src/service/vm/block.ts";
import { deleteVm } from "../../../src/service/vm/delete.ts";
import { placeVm } from "../../../src/service/vm/place.ts";
import { unblockVm } from "../../../src/service/vm/unblock.ts";
import { wishVmRunning } from "../../../src/service/vm/wish-running.ts";
import { wishVmStopped } from "../../../src/service/vm/wish-stopped.ts";
import type { SimBox } from "./box.ts";
import type { DiskVerb } from "./disks.ts";
import { SIM_EXPECTATIONS } from "./expectations.ts";
import { parseDuration, parseNames, type SimCommand } from "./sentence.ts";
import type { SimSite } from "./site.ts";

/** A verb that is refused is told in the log, as whoever asked would be. */
async function ask(site: SimSite, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    site.say("?", `refused: ${describeError(error)}`);
  }
  site.wakeAll();
}

const BOXES: readonly SimCommand[] = [
  {
    pattern:
      /^node (?<name>\w+)(?<shared> on shared storage)?(?: with (?<memory>\d+) MB)?(?: starting (?<starts>\d+) at a time)?$/,
    run: async (site, { name = "", shared, memory = "16384", starts = "4" }) => {
      const traits = {
        memoryMb: Number(memory),
        parallelStarts: Number(starts),
        isShared: shared !== undefined,
      };
      const box = await site.addBox(name, traits);
      box.unpacked(site.diId);
      await site.advance(200);
    },
  },
  {
    pattern: /^another box calls itself (?<name>\w+)$/,
    run: async (site, { name = "" }) => {
      const double = await site.addDouble(name);
      double.unpacked(site.diId);
    },
  },
  { pattern: /^kill (?<box>\w+)$/, run: async (site, { box = "" }) => site.box(box).endProcess() },
  {
    pattern: /^kill (?<box>\w+) (?<when>before|after) (?<what>[\w-]+)$/,
    run: async (site, { box = "", when, what = "" }) => {
      site.traps.set(site.box(box), { when: when === "before" ? "before" : "after", what });
    },
  },
  { pattern: /^restart (?<box>\w+)$/, run: (site, { box = "" }) => site.box(box).revive() },
  { pattern: /^freeze (?<box>\w+)$/, run: async (site, { box = "" }) => site.box(box).setFrozen(true) },
  { pattern: /^thaw (?<box>\w+)$/, run: async (site, { box = "" }) => site.box(box).setFrozen(false) },
  { pattern: /^power off (?<box>\w+)$/, run: async (site, { box = "" }) => site.box(box).powerOff() },
  {
    pattern: /^(?<box>\w+) is shut down$/,
    run: async (site, { box = "" }) => void site.box(box).process?.loop.stopDesktops(0),
  },
  {
    pattern: /^block node (?<box>\w+)$/,
    run: (site, { box = "" }) => ask(site, () => blockNode(site.context, { nodeId: idOf(site.box(box)) })),
  },
  {
    pattern: /^unblock node (?<box>\w+)$/,
    run: (site, { box = "" }) => ask(site, () => unblockNode(site.context, { nodeId: idOf(site.box(box)) })),
  },
  {
    pattern: /^drain (?<box>\w+) (?<mode>finish|move)$/,
    run: (site, { box = "", mode }) =>
      ask(site, () =>
        drainNode(site.context, { nodeId: idOf(site.box(box)), mode: mode === "move" ? "move" : "finish" }),
      ),
  },
  {
    pattern: /^undrain (?<box>\w+)$/,
    run: (site, { box = "" }) => ask(site, () => undrainNode(site.context, { nodeId: idOf(site.box(box)) })),
  },
];

const FAULTS: readonly SimCommand[] = [
  {
    pattern: /^partition (?<box>\w+) from (?<what>database|storage|both)$/,
    run: async (site, { box = "", what }) => part(site.box(box), what, true),
  },
  {
    pattern: /^heal (?<box>\w+)$/,
    run: async (site, { box = "" }) => part(site.box(box), "both", false),
  },
  {
    pattern: /^database away$/,
    run: async ({ database }) => {
      database.isAway = true;
    },
  },
  {
    pattern: /^database back$/,
    run: async ({ database }) => {
      database.isAway = false;
    },
  },
  {
    pattern: /^database slow (?<time>\S+)$/,
    run: async ({ database }, { time = "" }) => {
      database.slowMs = parseDuration(time);
    },
  },
  {
    pattern: /^clock of (?<whose>\w+) jumps (?<sign>[+-])(?<time>\w+)$/,
    run: async (site, { whose = "", sign, time = "" }) => {
      const ms = (sign === "-" ? -1 : 1) * parseDuration(time);
      if (whose === "database") site.database.clockOffsetMs += ms;
      else site.box(whose).clockOffsetMs += ms;
    },
  },
  {
    pattern:
      /^(?<verb>unpack|mount|unmount) on (?<box>\w+) fails (?<times>\d+) times? with (?<code>image-broken|storage-full|driver-failed)$/,
    run: async (site, { verb, box = "", times, code }) => {
      site.box(box).disks.faults.set(verb as DiskVerb, {
        times: Number(times),
        code: code as "image-broken" | "storage-full" | "driver-failed",
      });
    },
  },
  {
    pattern: /^unpacking on (?<box>\w+) takes (?<time>\S+)$/,
    run: async (site, { box = "", time = "" }) => {
      const { disks } = site.box(box);
      disks.bases.clear();
      disks.unpackMs = parseDuration(time);
    },
  },
  {
    pattern: /^a stranger (?<id>\d+) (?<how>runs|lies) on (?<box>\w+)$/,
    run: async (site, { id = "", how, box = "" }) => {
      const vmId = Number(id) as VmId;
      const life = { isAlive: how === "runs", life: 1, guest: undefined, hasBooted: true, callOffs: [] };
      site.box(box).host.desktops.set(vmId, life);
    },
  },
];

const DESKTOPS: readonly SimCommand[] = [
  {
    pattern: /^desktops? (?<names>\S+)(?: on (?<box>\w+))?$/,
    run: async (site, { names = "", box }) => {
      for (const name of parseNames(names)) {
        const vmId = await site.addVm(name);
        if (box !== undefined) await placeVm(site.context, { vmId, nodeId: idOf(site.box(box)) });
      }
    },
  },
  {
    pattern: /^wish (?<names>\S+) (?<wish>running|stopped)$/,
    run: async (site, { names = "", wish }) => {
      const verb = wish === "running" ? wishVmRunning : wishVmStopped;
      for (const name of namesOf(site, names))
        await ask(site, () => verb(site.context, { vmId: site.vm(name) }));
    },
  },
  {
    pattern: /^block (?<name>\w+)$/,
    run: (site, { name = "" }) =>
      ask(site, () => blockVm(site.context, { vmId: site.vm(name), reason: "it is being looked at" })),
  },
  {
    pattern: /^unblock (?<name>\w+)$/,
    run: (site, { name = "" }) => ask(site, () => unblockVm(site.context, { vmId: site.vm(name) })),
  },
  {
    pattern: /^delete (?<name>\w+)$/,
    run: (site, { name = "" }) => ask(site, () => deleteVm(site.context, { vmId: site.vm(name) })),
  },
  {
    pattern: /^crash (?<name>\w+)$/,
    run: async (site, { name = "" }) => eachBox(site, name, (box, id) => box.hypervisor.die(id)),
  },
  {
    pattern: /^(?<name>\w+) is powered off from inside(?<late> and takes its time)?$/,
    run: async (site, { name = "", late }) =>
      eachBox(site, name, (box, vmId) => {
        box.guests.say(vmId, { type: "powering-off" });
        if (late === undefined) box.hypervisor.die(vmId);
      }),
  },
  {
    pattern: /^agent of (?<name>\w+) (?<how>goes|returns|falls mute|speaks again)$/,
    run: async (site, { name = "", how }) =>
      eachBox(site, name, (box, vmId) => {
        const guest = box.guests.guests.get(vmId);
        if (how === "goes") guest?.leave();
        else if (how === "returns") guest?.attach();
        else if (guest !== undefined) guest.isMute = how === "falls mute";
      }),
  },
  {
    pattern: /^network of (?<name>\w+) (?<how>breaks|works)$/,
    run: async (site, { name = "", how }) => {
      for (const box of site.boxes.values())
        if (how === "breaks") box.brokenNetworks.add(site.vm(name));
        else box.brokenNetworks.delete(site.vm(name));
    },
  },
  {
    pattern: /^(?<name>\w+) (?:has|is) (?<traits>[\w ,-]+)$/,
    run: async (site, { name = "", traits = "" }) => {
      for (const trait of traits.split(", "))
        for (const box of site.boxes.values()) box.hypervisor.set(site.vm(name), traitOf(trait));
    },
  },
  {
    pattern: /^a client asks for (?<name>\w+)$/,
    run: (site, { name = "" }) =>
      ask(site, () =>
        requestSession(site.context, {
          vmId: site.vm(name),
          client: {
            keyboard: "pc105/us",
            os: "linux",
            link: "adsl",
            geometry: "1024x768",
            isFullscreen: false,
          },
          slaveKey: "k".repeat(64),
          brokerWorker: "broker-1",
        }),
      ),
  },
  {
    pattern: /^the client of (?<name>\w+) (?<how>connects|leaves)$/,
    run: async (site, { name = "", how }) => {
      const set =
        how === "connects"
          ? sql`connected_at = qvd_now()`
          : sql`ended_at = qvd_now(), end_cause = 'client-left'`;
      await site.link.db.execute(sql`update sessions set ${set}
        where vm_id = ${site.vm(name)} and ended_at is null and superseded_at is null`);
      const xState = how === "connects" ? "connected" : "suspended";
      eachBox(site, name, (box, vmId) => {
        const guest = box.guests.guests.get(vmId);
        if (guest !== undefined) guest.xState = xState;
        box.guests.say(vmId, { type: "session-changed", xState, session: guest?.session ?? null });
      });
      site.wakeAll();
    },
  },
];

const IMAGES: readonly SimCommand[] = [
  {
    pattern: /^the image is (?<state>new|ready|failed|blocked|unblocked|untagged|tagged)$/,
    run: async (site, { state = "" }) => {
      const { db } = site.link;
      const id = site.diId;
      if (state === "untagged") await db.execute(sql`delete from di_tags`);
      else if (state === "tagged")
        await db.execute(sql`insert into di_tags (osf_id, tag, di_id) values (1, 'default', ${id})`);
      else if (state === "blocked" || state === "unblocked")
        await db.execute(sql`update dis set is_blocked = ${state === "blocked"} where id = ${id}`);
      else await db.execute(sql`update dis set state = ${state} where id = ${id}`);
      site.wakeAll();
    },
  },
  {
    pattern: /^desktops are machines that keep (?<what>home|everything)$/,
    run: async (site, { what = "" }) => {
      await site.link.db.execute(sql`update osfs set hypervisor = 'kvm', persistence = ${what}`);
      await site.link.db.execute(sql`update dis set kind = 'disk', file_name = 'desk.qcow2'`);
    },
  },
  {
    pattern: /^the OSF has (?<column>[a-z_]+) (?<value>\S+)$/,
    run: async (site, { column = "", value = "" }) => {
      await site.link.db.execute(sql`update osfs set ${sql.identifier(column)} = ${value}`);
    },
  },
  {
    pattern: /^(?<name>\w+) expires (?<kind>soft|hard) in (?<time>\S+)$/,
    run: async (site, { name = "", kind = "", time = "" }) => {
      await site.link.db.execute(sql`update vms set ${sql.identifier(`expires_${kind}_at`)} =
        qvd_now() + ${parseDuration(time)}::float8 * interval '1 millisecond' where id = ${site.vm(name)}`);
      site.wakeAll();
    },
  },
];

export const SIM_COMMANDS: readonly SimCommand[] = [
  { pattern: /^advance (?<time>\S+)$/, run: (site, { time = "" }) => site.advance(parseDuration(time)) },
  ...SIM_EXPECTATIONS,
  ...BOXES,
  ...FAULTS,
  ...IMAGES,
  ...DESKTOPS,
];

const TRAITS: Readonly<Record<string, Partial<SimTraits>>> = {
  "deaf to poweroff": { ignoresPoweroff: true },
  "deaf to halt": { ignoresHalt: true },
  "deaf to terminate": { ignoresTerminate: true },
  "hung in the kernel": {
    ignoresKill: true,
    ignoresHalt: true,
    ignoresTerminate: true,
    ignoresPoweroff: true,
  },
  "released by the kernel": { ignoresKill: false },
  "a session that fails": { failsSessions: true },
  "no agent": { bootMs: undefined },
  "an agent": { bootMs: 2_000 },
  "a slow start": { startMs: 8_000 },
  "a start that fails": { failingStarts: 1 },
  "starts that fail": { failingStarts: 1_000 },
  "starts that work": { failingStarts: 0 },
  "clean-ups that fail": { failingCleanUps: 2 },
  "a short life": { diesAfterMs: 5_000 },
  "a long life": { diesAfterMs: undefined },
};

function traitOf(name: string): Partial<SimTraits> {
  const trait = TRAITS[name];
  if (trait === undefined) throw new Error(`a desktop can't be or have ${name}`);
  return trait;
}

function idOf(box: SimBox) {
  if (box.nodeId === undefined) throw new Error(`node ${box.name} was never registered`);
  return box.nodeId;
}

function namesOf(site: SimSite, names: string): readonly string[] {
  return names === "all" ? [...site.vms.keys()] : parseNames(names);
}

function eachBox(site: SimSite, name: string, act: (box: SimBox, vmId: VmId) => void): void {
  const vmId = site.vm(name);
  for (const box of site.boxes.values()) if (box.hypervisor.isAlive(vmId)) act(box, vmId);
}

function part(box: SimBox, what: string | undefined, isCut: boolean): void {
  if (what !== "storage") box.cutDatabase(isCut);
  if (what !== "database") box.disks.isCut = isCut;
}
