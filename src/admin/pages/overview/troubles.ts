/** What an administrator should look at, worst first, each with where to look and what to do. Pure. */

import type { DesktopRow } from "../../../db/queries/desktops.ts";
import type { ImageRow } from "../../../db/queries/images.ts";
import type { NodeRow } from "../../../db/queries/nodes.ts";
import type { Tone } from "../../../ui/tone.ts";
import { listNodeProblems } from "../nodes/describe.ts";

export type Trouble = {
  readonly tone: Extract<Tone, "bad" | "warn">;
  readonly title: string;
  readonly text: string;
  readonly href: string;
};

export type Looked = {
  readonly nodes: readonly NodeRow[];
  readonly desktops: readonly DesktopRow[];
  readonly images: readonly ImageRow[];
  /** Nodes are the site's: others are not told of them. */
  readonly isSite: boolean;
};

const MOST_TROUBLES = 12;

export function listTroubles(looked: Looked): readonly Trouble[] {
  const troubles = [
    ...ofNodes(looked),
    ...looked.desktops.flatMap((desktop) => ofDesktop(desktop) ?? []),
    ...looked.images.flatMap((image) => ofImage(image) ?? []),
  ];
  return troubles.sort((a, b) => rank(a) - rank(b)).slice(0, MOST_TROUBLES);
}

function rank(trouble: Trouble): number {
  return trouble.tone === "bad" ? 0 : 1;
}

function ofNodes(looked: Looked): Trouble[] {
  if (looked.isSite && looked.nodes.length === 0) {
    const text = "Desktops can't start. Run `qvd node run` on a box that uses this database.";
    return [{ tone: "bad", title: "There is no node", text, href: "/nodes" }];
  }
  return looked.nodes.flatMap((node) => {
    const own = listNodeProblems(node).filter(({ isOfDesktops }) => isOfDesktops !== true);
    const problems: Trouble[] = own.map((problem) => ({
      tone: "bad",
      title: problem.text,
      text: problem.advice,
      href: `/nodes#node-${node.id}`,
    }));
    if (!node.isBlocked) return problems;
    const text = "It takes no new clients and no new desktops until it is unblocked.";
    return [
      ...problems,
      { tone: "warn" as const, title: `Node ${node.name} is blocked`, text, href: "/nodes" },
    ];
  });
}

function ofDesktop(desktop: DesktopRow): Trouble | undefined {
  const href = `/desktops/${desktop.id}`;
  if (desktop.fault) return { tone: "bad", title: `Desktop ${desktop.name}`, text: desktop.fault, href };
  if (desktop.state === "zombie_1" || desktop.state === "zombie_2") {
    return {
      tone: "bad",
      title: `Desktop ${desktop.name}`,
      text: "It does not answer and is being ended by force.",
      href,
    };
  }
  return undefined;
}

function ofImage(image: ImageRow): Trouble | undefined {
  if (image.state !== "failed") return undefined;
  const title = `Image ${image.osf} ${image.version}`;
  // A fault says what to do about it.
  const text = image.fault ?? "It could not be used. Delete it and add a good one.";
  return { tone: "bad", title, text, href: `/images#osf-${image.osfId}` };
}
