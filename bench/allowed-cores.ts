import { readFileSync } from "node:fs";

/** Processors that this process may use, by their numbers. */
export function readAllowedCores(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return parseCoreList(/^Cpus_allowed_list:\s+(.+)$/m.exec(status)?.[1] ?? "0");
}

/** From a list such as `0-2,5`. */
export function parseCoreList(text: string): number[] {
  return text
    .trim()
    .split(",")
    .flatMap((part) => {
      const [from = 0, to = from] = part.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_none, index) => from + index);
    });
}
