import type { ExplainReport } from "./explain-facts.ts";
import { clientState } from "./state.ts";

/** Of a desktop that has ended, and is kept from being stopped by what is left of it on its box; undefined of any other. */
export function describeRemains(report: ExplainReport | null): string | undefined {
  if (report?.faultCode !== "clean-up-failed") return undefined;
  if (!["stopping", "zombie"].includes(clientState(report.state))) return undefined;
  return `It has ended, but what is left of it on its node can't be removed: ${report.fault ?? "no reason was told"}`;
}
