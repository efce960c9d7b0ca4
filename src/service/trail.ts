import { insertRow } from "../db/insert.ts";
import { vmEvents } from "../db/schema/index.ts";
import { formatActor } from "../domain/access/actor.ts";
import type { VmId } from "../domain/ids.ts";
import type { VmEventCode } from "../domain/vm/event.ts";
import type { Context } from "./context.ts";

export type TrailEntry = {
  readonly vmId: VmId;
  readonly code: VmEventCode;
  /** One sentence in plain words. */
  readonly text: string;
  readonly wishGeneration: number;
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** Appends what was asked to the desktop's trail, in the actor's name, and returns the event's id. */
export function appendTrail(inside: Context, entry: TrailEntry): Promise<number> {
  return insertRow(inside.db, vmEvents, { ...entry, actor: formatActor(inside.actor) });
}
