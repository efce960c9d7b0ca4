/** What a person can do about a desktop that isn't as wished, the most telling first. */

import type { Action } from "../access/action.ts";
import type { Candidate, ExplainFacts } from "./explain-facts.ts";

/** Before it is known who reads it: what following it takes, an action's right or charge of the site's boxes. */
export type FullAdvice = {
  readonly text: string;
  readonly command: string | null;
  readonly needs: Action | "boxes";
};

export function adviseOn(facts: ExplainFacts, candidates: readonly Candidate[]): readonly FullAdvice[] {
  return [
    ...strangeAdvice(facts),
    blockAdvice(facts),
    imageAdvice(facts),
    placementAdvice(facts, candidates),
    ...stateAdvice(facts),
  ].filter((advice) => advice !== undefined);
}

/** It may write where nobody expects it. */
function strangeAdvice({ strangeOn = [] }: ExplainFacts): readonly FullAdvice[] {
  return strangeOn.map(({ node, vmId }) => ({
    text: `End it on node ${node}, which should not run it.`,
    command: `qvd node end-stranger ${word(node)} ${vmId}`,
    needs: "node.end-stranger",
  }));
}

function blockAdvice({ isBlocked, name, report }: ExplainFacts): FullAdvice | undefined {
  if (!isBlocked) return undefined;
  const how = { command: `qvd vm unblock ${word(name)}`, needs: "vm.unblock" } as const;
  if (report?.state === "running") return { text: "Unblock it when its user may connect again.", ...how };
  return (report?.crashes ?? 0) > 0
    ? { text: "See below why it kept failing and repair that, then unblock it.", ...how }
    : { text: "Unblock it.", ...how };
}

function imageAdvice({ image, osf, tag, wish }: ExplainFacts): FullAdvice | undefined {
  if (wish === "stopped") return undefined;
  if (image === null)
    return {
      text: `Put the tag ${tag} on an image that is ready.`,
      command: `qvd image tag ${word(`${osf}:VERSION`)} ${tag}`,
      needs: "image.move-tag",
    };
  if (image.isBlocked)
    return {
      text: "Unblock its image, or put the tag on another.",
      command: `qvd image unblock ${word(`${osf}:${image.version}`)}`,
      needs: "image.unblock",
    };
  if (image.state === "failed")
    return {
      text: `Put the tag ${tag} on another image.`,
      command: `qvd image tag ${word(`${osf}:VERSION`)} ${tag}`,
      needs: "image.move-tag",
    };
  return undefined;
}

function placementAdvice(
  { node, wish, report }: ExplainFacts,
  candidates: readonly Candidate[],
): FullAdvice | undefined {
  if (candidates.length > 0)
    return {
      text: "Give one of these nodes what it lacks, or add a node.",
      command: "qvd node list",
      needs: "boxes",
    };
  if (node?.drain?.canLeave === false && wish === "running" && (report?.state ?? "stopped") === "stopped")
    return {
      text: `End the drain of node ${node.name}.`,
      command: `qvd node undrain ${word(node.name)}`,
      needs: "node.undrain",
    };
  if (node !== null && !node.hasLease)
    return {
      text: `See whether node ${node.name} and its network are up.`,
      command: "qvd node list",
      needs: "boxes",
    };
  return undefined;
}

function stateAdvice(facts: ExplainFacts): readonly FullAdvice[] {
  const { report, wish, name, isBlocked } = facts;
  const state = report?.state ?? "stopped";
  if (state === "stopped" && wish === "running" && report?.faultCode === "start-given-up" && !isBlocked)
    return [
      {
        text: "When the reason is mended, ask for it again.",
        command: `qvd vm start ${word(name)}`,
        needs: "vm.wish-running",
      },
    ];
  if (state === "running" && wish === "running" && report?.faultCode === "agent-lost")
    return adviseRestart(name, "If its agent does not come back, restart the desktop: stop it first.");
  if (state === "running" && wish === "running" && report?.faultCode === "network-broken")
    return [
      ...adviseRestart(name, "Restart the desktop, which makes its own network anew: stop it first."),
      {
        text: "Restart the node's process, which repairs its bridge and rules.",
        command: null,
        needs: "boxes",
      },
    ];
  if (state === "running" && !facts.expectsAgent)
    return [
      {
        text: "See its screen in a browser.",
        command: `qvd vm console ${word(name)} --link`,
        needs: "vm.open-console",
      },
    ];
  if (state === "zombie_2")
    return [
      {
        text: "A process that survives KILL hangs in the kernel, mostly on storage that is away: look at the box.",
        command: null,
        needs: "boxes",
      },
    ];
  return [];
}

/** A wish for it running that comes before the node has seen the other changes nothing. */
function adviseRestart(name: string, text: string): readonly FullAdvice[] {
  return [
    { text, command: `qvd vm stop ${word(name)}`, needs: "vm.wish-stopped" },
    {
      text: "Start it once it is down; its user's next connection does that, too.",
      command: `qvd vm start ${word(name)}`,
      needs: "vm.wish-running",
    },
  ];
}

/** A name as a shell takes it. */
function word(name: string): string {
  return /^[A-Za-z0-9._:@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
