import { z } from "zod";
import type { NodeFacts } from "../../domain/node/report.ts";

const Facts = z.object({
  version: z.string(),
  pid: z.number(),
  instance: z.string(),
  cpus: z.number(),
  machines: z.enum(["kvm", "tcg"]).optional(),
  memoryMb: z.number(),
  memoryFreeMb: z.number(),
  diskFreeMb: z.number(),
  lease: z.object({
    epoch: z.number(),
    isHeld: z.boolean(),
    phase: z.enum(["held", "frozen", "lost", "unknown"]).optional(),
    fences: z.boolean().optional(),
    rowAgeMs: z.number().nullish(),
    counterAgeMs: z.number().nullish(),
    trouble: z.string().optional(),
  }),
  workers: z.array(
    z.object({
      name: z.string(),
      pid: z.number().nullable(),
      state: z.enum(["running", "restarting", "stopped", "draining"]),
      startedAtMs: z.number().nullable(),
      restarts: z.number(),
      connections: z.number().nullable(),
      isElder: z.boolean().optional(),
      deadlineAtMs: z.number().optional(),
      turnedAway: z.number().optional(),
      trouble: z.string().optional(),
    }),
  ),
  desktops: z.record(z.string(), z.number()),
  strangers: z.array(z.number()).optional(),
  problems: z.array(z.object({ text: z.string(), advice: z.string() })),
});

/** What a node said of itself; null when it said nothing, or a node of another version said something else. */
export function parseFacts(value: unknown): NodeFacts | null {
  const parsed = Facts.safeParse(value);
  return parsed.success ? parsed.data : null;
}
