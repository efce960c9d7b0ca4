/** Which desktops are worth reading again, by the marks of all that are this node's now. */

import { asId, type VmId } from "../domain/ids.ts";
import type { VmMemory } from "./memory.ts";

type Remembered = Pick<VmMemory, "report" | "running"> & {
  readonly desktop: Pick<VmMemory["desktop"], "wish" | "wishMarks" | "drain">;
};

/**
 * Those of which something is wished anew, those that came and those that went. And those that are not as they are
 * wished, though nothing is done to them and they have no place in a queue: they may wait for what nobody tells, such as an
 * image, the lease or room.
 */
export function listNews(wishes: string, memories: ReadonlyMap<VmId, Remembered>): readonly VmId[] {
  const [drain = "", ...lines] = wishes.split("\n");
  const marks = new Map(lines.filter((line) => line !== "").map(splitMarks));
  const news = [...marks.keys()].filter((vmId) => {
    const memory = memories.get(vmId);
    if (memory === undefined || memory.desktop.wishMarks !== marks.get(vmId)) return true;
    return (memory.desktop.drain ?? "") !== drain || isWaiting(memory);
  });
  const gone = [...memories.keys()].filter((vmId) => !marks.has(vmId));
  return [...news, ...gone];
}

/** `12(3,4,…)` */
function splitMarks(line: string): [VmId, string] {
  const at = line.indexOf("(");
  return [asId<VmId>(Number(line.slice(0, at))), line.slice(at)];
}

function isWaiting({ desktop, report, running }: Remembered): boolean {
  return report.state !== desktop.wish && running === undefined && report.queuePosition === undefined;
}
