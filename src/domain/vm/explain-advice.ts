/** What a person can do about a desktop that isn't as wished, the most telling first. */

import type { Advice, Candidate, ExplainFacts } from "./explain-facts.ts";

export function adviseOn(facts: ExplainFacts, candidates: readonly Candidate[]): readonly Advice[] {
  return [
    ...strangeAdvice(facts),
    blockAdvice(facts),
    imageAdvice(facts),
    placementAdvice(facts, candidates),
    ...stateAdvice(facts),
  ].filter((advice) => advice !== undefined);
}

/** It may write where nobody expects it. */
function strangeAdvice({ strangeOn = [] }: ExplainFacts): readonly Advice[] {
  return strangeOn.map(({ node, vmId }) => ({
    text: `End it on node ${node}, which should not run it.`,
    command: `qvd node end-stranger ${word(node)} ${vmId}`,
  }));
}

function blockAdvice({ isBlocked, name, report }: ExplainFacts): Advice | undefined {
  if (!isBlocked) return undefined;
  const command = `qvd vm unblock ${word(name)}`;
  if (report?.state === "running") return { text: "Unblock it when its user may connect again.", command };
  return (report?.crashes ?? 0) > 0
    ? { text: "See below why it kept failing and repair that, then unblock it.", command }
    : { text: "Unblock it.", command };
}

function imageAdvice({ image, osf, tag, wish }: ExplainFacts): Advice | undefined {
  if (wish === "stopped") return undefined;
  if (image === null)
    return {
      text: `Put the tag ${tag} on an image that is ready.`,
      command: `qvd image tag ${word(`${osf}:VERSION`)} ${tag}`,
    };
  if (image.isBlocked)
    return {
      text: "Unblock its image, or put the tag on another.",
      command: `qvd image unblock ${word(`${osf}:${image.version}`)}`,
    };
  if (image.state === "failed")
    return {
      text: `Put the tag ${tag} on another image.`,
      command: `qvd image tag ${word(`${osf}:VERSION`)} ${tag}`,
    };
  return undefined;
}

function placementAdvice(
  { node, wish, report }: ExplainFacts,
  candidates: readonly Candidate[],
): Advice | undefined {
  if (candidates.length > 0)
    return { text: "Give one of these nodes what it lacks, or add a node.", command: "qvd node list" };
  if (node?.drain?.canLeave === false && wish === "running" && (report?.state ?? "stopped") === "stopped")
    return { text: `End the drain of node ${node.name}.`, command: `qvd node undrain ${word(node.name)}` };
  if (node !== null && !node.hasLease)
    return { text: `See whether node ${node.name} and its network are up.`, command: "qvd node list" };
  return undefined;
}

function stateAdvice(facts: ExplainFacts): readonly Advice[] {
  const { report, wish, name, isBlocked } = facts;
  const state = report?.state ?? "stopped";
  if (state === "stopped" && wish === "running" && report?.faultCode === "start-given-up" && !isBlocked)
    return [{ text: "When the reason is mended, ask for it again.", command: `qvd vm start ${word(name)}` }];
  if (state === "running" && wish === "running" && report?.faultCode === "agent-lost")
    return [
      { text: "If its agent does not come back, restart the desktop.", command: `qvd vm stop ${word(name)}` },
    ];
  if (state === "running" && wish === "running" && report?.faultCode === "network-broken")
    return [
      {
        text: "Restarting the node's process repairs its bridge and rules; restarting the desktop its own network.",
        command: `qvd vm stop ${word(name)}`,
      },
    ];
  if (state === "running" && !facts.expectsAgent)
    return [
      {
        text: "See its screen in a browser.",
        command: `qvd vm console ${word(name)} --link`,
      },
    ];
  if (state === "zombie_2")
    return [
      {
        text: "A process that survives KILL hangs in the kernel, mostly on storage that is away: look at the box.",
        command: null,
      },
    ];
  return [];
}

/** A name as a shell takes it. */
function word(name: string): string {
  return /^[A-Za-z0-9._:@-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}
