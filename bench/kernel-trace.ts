/**
 * What the kernel saw while a round ran, with a moment for each: programs begun and ended, mounts, commits that wait for the
 * disk, statements that the database was told and has answered, sockets that listen. Costs a round some microseconds an event.
 * Needs root and a kernel with tracefs.
 */

import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";

export type TraceEvent = {
  readonly atMs: number;
  /** As the kernel calls the process, and its number. */
  readonly name: string;
  readonly pid: number;
  readonly what: string;
};

export type KernelTrace = {
  /** Between `begin` and `end`: a word of ours among what the kernel saw. */
  mark(text: string): void;
  begin(): void;
  end(): readonly TraceEvent[];
  close(): void;
};

const ROOT = "/sys/kernel/tracing";
const BUFFER_KB = 16_384;
/** With what is kept of each; all of it where nothing stands. */
const EVENTS: readonly (readonly [event: string, filter: string])[] = [
  ["sched/sched_process_exec", ""],
  ["sched/sched_process_exit", ""],
  ["sched/sched_process_fork", ""],
  ["sock/inet_sock_set_state", "newstate == 10"],
  ["syscalls/sys_enter_fdatasync", ""],
  ["syscalls/sys_exit_fdatasync", ""],
  ["syscalls/sys_enter_mount", ""],
  ["syscalls/sys_enter_move_mount", ""],
  ["syscalls/sys_enter_pivot_root", ""],
  ["syscalls/sys_exit_recvfrom", 'common_pid != 0 && comm == "postgres" && ret > 0'],
  ["syscalls/sys_enter_sendto", 'comm == "postgres"'],
];

/** Of those processors: what happens at others is not kept. */
export function openKernelTrace(instance: string, cpus: readonly number[]): KernelTrace {
  const folder = `${ROOT}/instances/${instance}`;
  if (!existsSync(`${ROOT}/instances`))
    throw new Error(`${ROOT} is not there: mount -t tracefs none ${ROOT}`);
  mkdirSync(folder, { recursive: true });
  const set = (file: string, text: string) => writeFileSync(`${folder}/${file}`, text);
  set("tracing_on", "0");
  set("trace_clock", "mono");
  set("buffer_size_kb", `${BUFFER_KB}`);
  const mask = cpus.reduce((sum, cpu) => sum | (1 << cpu), 0);
  set("tracing_cpumask", mask.toString(16));
  for (const [event, filter] of EVENTS) {
    if (filter !== "") set(`events/${event}/filter`, filter);
    set(`events/${event}/enable`, "1");
  }
  const marker = openSync(`${folder}/trace_marker`, "w");
  return {
    mark: (text) => void writeSync(marker, text),
    begin: () => {
      set("trace", "");
      set("tracing_on", "1");
    },
    end: () => {
      set("tracing_on", "0");
      return parseTrace(readFileSync(`${folder}/trace`, "utf8"));
    },
    close: () => {
      closeSync(marker);
      rmdirSync(folder);
    },
  };
}

/** `  lxc-start-123  [002] d..1.  73749.914764: sched_process_exec: filename=… pid=…`. */
const LINE = /^\s*(.+)-(\d+)\s+\[\d+\]\s+\S+\s+(\d+\.\d+): (\w+):?\s*(.*)$/;

export function parseTrace(text: string): readonly TraceEvent[] {
  return text.split("\n").flatMap((line): readonly TraceEvent[] => {
    const found = LINE.exec(line);
    if (found === null || line.startsWith("#")) return [];
    const [, name = "", pid = "", seconds = "", event = "", rest = ""] = found;
    const what = describe(event, rest);
    return what === undefined ? [] : [{ atMs: Number(seconds) * 1000, name, pid: Number(pid), what }];
  });
}

function describe(event: string, rest: string): string | undefined {
  const read = (key: string) => new RegExp(`\\b${key}=(\\S+)`).exec(rest)?.[1] ?? "";
  switch (event) {
    case "tracing_mark_write":
      return rest.trim();
    case "sched_process_exec":
      return `runs ${read("filename")}`;
    case "sched_process_exit":
      return "ends";
    case "sched_process_fork":
      return `forks ${read("child_pid")}`;
    case "inet_sock_set_state":
      return `listens at ${read("sport")}`;
    case "sys_fdatasync":
      return rest.startsWith("->") ? "disk has written" : "waits for the disk";
    case "sys_mount":
      return "mount";
    case "sys_move_mount":
      return "move_mount";
    case "sys_pivot_root":
      return "pivot_root";
    case "sys_recvfrom":
      return "is told";
    case "sys_sendto":
      return "answers";
    default:
      return undefined;
  }
}
