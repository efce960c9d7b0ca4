/** What a new agent needs to find a running session again. Lies in root's folder, so it is trusted. */

import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { ProcessMark } from "./processes.ts";

export type SessionRecord = {
  /** xinit, or whatever leads the session's processes. */
  readonly leader: ProcessMark;
  /** Its X server, whichever it is; null until that has been seen. */
  readonly nxagent: ProcessMark | null;
  readonly session: number;
  readonly login: string;
  readonly uid: number;
  /** Of its X server; nxagent in records of before. */
  readonly program?: string | undefined;
  /** Where its X server lets viewers in, if it does. */
  readonly socket?: string | undefined;
  /** Whether viewers prove to it that they know the session's key, and may come to its port as well. */
  readonly asksProof?: boolean | undefined;
};

/** Undefined when there is none, or none that can be read. */
export function readRecord(path: string): SessionRecord | undefined {
  try {
    const value: SessionRecord = JSON.parse(readFileSync(path, "utf8"));
    return Number.isInteger(value.leader?.pid) && Number.isInteger(value.uid) ? value : undefined;
  } catch {
    // None yet, or cut by a full disk: the session's processes are then treated as strangers.
    return undefined;
  }
}

export function writeRecord(path: string, record: SessionRecord): void {
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function removeRecord(path: string): void {
  rmSync(path, { force: true });
}
