/**
 * A policy of placement that the site brings: a file of JavaScript or TypeScript with a function
 * `score(node, vm, random)`. It runs in the node, as root, so it must be root's; what it throws or returns
 * beside numbers makes a node the last resort, and keeps no desktop from being placed.
 */

import { stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import type { PlacementPolicy } from "../domain/node/placement-policy.ts";
import { AppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";

/** Below any score of ours, and finite: heaps subtract. */
const LAST_RESORT = -1e12;
/** Others may write to it. */
const WRITABLE = 0o022;

/**
 * `owner` is who the file must belong to, by number.
 *
 * @throws AppError `bad-input` when it can't be read, isn't only its owner's, or has no function `score`
 */
export async function loadPlacementPolicy(file: string, log: Log, owner = 0): Promise<PlacementPolicy> {
  const found = await stat(file).catch((error) => {
    throw unusable(file, error instanceof Error ? error.message : String(error));
  });
  if (found.uid !== owner || (found.mode & WRITABLE) !== 0)
    throw unusable(file, `it must be writable by its owner alone, and its owner be user ${owner}`);
  const score = await readScore(file);
  let hasFailed = false;
  return {
    score: (node, vm, random) => {
      const given = tryOr(() => score(Object.freeze({ ...node }), Object.freeze({ ...vm }), random));
      if (typeof given === "number" && Number.isFinite(given)) return given;
      // Once: it is asked for each node and desktop.
      if (!hasFailed) log.error("placement-policy-failed", { file, node: node.name, given: String(given) });
      hasFailed = true;
      return LAST_RESORT;
    },
    reason: () => `has the best score by ${file}`,
  };
}

type Score = (...given: Parameters<PlacementPolicy["score"]>) => unknown;

async function readScore(file: string): Promise<Score> {
  const module: unknown = await import(pathToFileURL(file).href).catch((error) => {
    throw unusable(file, error instanceof Error ? error.message : String(error));
  });
  const score = typeof module === "object" && module !== null && "score" in module ? module.score : undefined;
  if (typeof score !== "function") throw unusable(file, "it exports no function named score");
  return (...given) => score(...given);
}

function tryOr(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    return error;
  }
}

function unusable(file: string, why: string): AppError {
  return new AppError(
    "bad-input",
    `loading the policy of placement ${file}: ${why}; mend the file, or leave QVD_PLACEMENT_POLICY empty`,
    { field: "QVD_PLACEMENT_POLICY" },
  );
}
