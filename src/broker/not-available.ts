import type { Answer } from "../wire/client/answer.ts";

/** The one form in which clients show a failed connect's reason to the person. */
export function notAvailable(reason: string): Answer {
  const sentence = reason.trim().replace(/[.\s]+$/, "");
  return {
    status: 503,
    body: `The requested virtual machine is not available: ${sentence}, retry later.`,
  };
}
