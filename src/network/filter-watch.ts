/**
 * Hears from the kernel when somebody changes the packet filter's tables of the desktop network, such as by `nft flush
 * ruleset`. It costs nothing while nobody does. What the kernel couldn't keep for us counts as a change by nobody knows whom. Needs root.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { close as closeBeside, readFileSync } from "node:fs";
import { describeError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import { sleep } from "../lib/wait.ts";
import { createNewsReader } from "./filter-news.ts";

export type FilterWatchOptions = {
  readonly table: string;
  /** `by` is undefined where that isn't known. */
  readonly onChange: (by: string | undefined) => void;
  readonly log: Log;
  /** Descriptors that the kernel's news are read from; undefined where it gives none. */
  readonly open?: () => number | undefined;
};

const AF_NETLINK = 16;
// SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC
const KIND = 3 | 0x800 | 0x80000;
const NETFILTER = 12;
/** The group NFNLGRP_NFTABLES, as a bit of `struct sockaddr_nl`. */
const GROUPS = 1 << 6;
const ADDRESS_BYTES = 12;
const AGAIN_MS = 1_000;

/** Listens until the signal; never throws. */
export async function watchFilter(options: FilterWatchOptions, signal: AbortSignal): Promise<void> {
  const { onChange, log, open = openSocket } = options;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const descriptor = open();
    if (descriptor === undefined) {
      log.warn("filter-not-watched", { advice: "the node looks after its rules each minute instead" });
      return;
    }
    // Something may have come while nobody listened.
    if (!isFirst) onChange(undefined);
    await listen(options, descriptor, signal);
    closeBeside(descriptor, () => {});
    if (signal.aborted) return;
    // What was lost just now doesn't wait for the next to listen.
    onChange(undefined);
    await sleep(AGAIN_MS, signal);
  }
}

async function listen(
  { table, onChange, log }: FilterWatchOptions,
  descriptor: number,
  signal: AbortSignal,
): Promise<void> {
  const reader = Bun.file(descriptor).stream().getReader();
  // It may have ended by itself.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  const readNews = createNewsReader(table);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || value === undefined) return;
      // What we change ourselves is known.
      for (const { name, pid } of readNews(value))
        if (!isOwnThread(pid, name)) onChange(`${name} (process ${pid})`);
    }
  } catch (error) {
    // Such as ENOBUFS: more came than the kernel kept.
    if (!signal.aborted) log.info("filter-news-lost", { error: describeError(error) });
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** By its name too: in a namespace of processes the kernel's numbers are others than ours. */
function isOwnThread(pid: number, name: string): boolean {
  try {
    return readFileSync(`/proc/self/task/${pid}/comm`, "utf8").trim() === name;
  } catch {
    // No thread of ours.
    return false;
  }
}

/** Undefined where the kernel gives none. */
function openSocket(): number | undefined {
  const { i32, u32, pointer } = FFIType;
  const library = dlopen("libc.so.6", {
    socket: { args: [i32, i32, i32], returns: i32 },
    bind: { args: [i32, pointer, u32], returns: i32 },
  });
  try {
    const descriptor = library.symbols.socket(AF_NETLINK, KIND, NETFILTER);
    if (descriptor < 0) return undefined;
    const address = new DataView(new ArrayBuffer(ADDRESS_BYTES));
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, GROUPS, true);
    if (library.symbols.bind(descriptor, ptr(new Uint8Array(address.buffer)), ADDRESS_BYTES) === 0)
      return descriptor;
    closeBeside(descriptor, () => {});
    return undefined;
  } finally {
    library.close();
  }
}
