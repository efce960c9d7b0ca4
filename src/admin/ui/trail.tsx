/** The trail of a desktop: what happened to it and why, newest first. */

import type { VmEventCode } from "../../domain/vm/event.ts";
import { FAULT_CODES } from "../../domain/vm/event.ts";
import type { IconName } from "../../ui/icons.tsx";
import { Icon } from "../../ui/icons.tsx";
import { TONE_CLASSES, type Tone } from "../../ui/tone.ts";
import { groupTrail } from "./group-trail.ts";
import { formatInstant, Moment } from "./moment.tsx";

export type TrailItem = {
  readonly at: Date;
  readonly code: string;
  readonly text: string;
  readonly actor: string | null;
  readonly node: string | null;
};

export function Trail(props: { readonly items: readonly TrailItem[]; readonly now: Date }) {
  return (
    <ol class="trail">
      {groupTrail(props.items).map(({ last: item, before }) => {
        const mark = markOf(item.code);
        return (
          <li class="trail-item">
            <span class={`trail-mark ${TONE_CLASSES[mark.tone]}`}>
              <Icon name={mark.icon} size={15} />
            </span>
            <div>
              <p>{item.text}</p>
              <p class="trail-meta">
                <Moment at={item.at} now={props.now} />
                {item.node ? <span>on {item.node}</span> : null}
                {isPerson(item.actor) ? <span>by {formatActor(item.actor)}</span> : null}
              </p>
              {before.length > 0 ? <Steps steps={before} /> : null}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Steps(props: { readonly steps: readonly TrailItem[] }) {
  return (
    <ul class="trail-steps" aria-label="Steps before, newest first">
      {props.steps.map((step) => (
        <li title={`${formatInstant(step.at)} UTC`}>{step.text}</li>
      ))}
    </ul>
  );
}

/** What a node did itself says so by its place. */
function isPerson(actor: string | null): actor is string {
  return actor !== null && !actor.startsWith("node:");
}

/** `user:ann@default` as people say it: `ann@default`; what the system did itself is named so. */
export function formatActor(actor: string): string {
  const at = actor.indexOf(":");
  if (at === -1) return actor;
  const kind = actor.slice(0, at);
  const name = actor.slice(at + 1);
  if (kind === "vm") return "the desktop itself";
  if (kind === "node") return `node ${name}`;
  if (kind === "administrator") return `administrator ${name}`;
  return name;
}

const MARKS: Partial<Record<VmEventCode, { readonly tone: Tone; readonly icon: IconName }>> = {
  "wish-recorded": { tone: "idle", icon: "user" },
  "start-taken": { tone: "busy", icon: "play" },
  "desktop-running": { tone: "good", icon: "check" },
  "desktop-stopped": { tone: "idle", icon: "stop" },
  "stop-taken": { tone: "idle", icon: "stop" },
  "agent-connected": { tone: "good", icon: "check" },
  "health-restored": { tone: "good", icon: "check" },
  "session-requested": { tone: "busy", icon: "session" },
  "session-connected": { tone: "good", icon: "session" },
  "session-suspended": { tone: "idle", icon: "session" },
  "session-ended": { tone: "idle", icon: "disconnect" },
  "session-superseded": { tone: "idle", icon: "disconnect" },
};

function markOf(code: string): { readonly tone: Tone; readonly icon: IconName } {
  // A code written by a newer version than this is shown like any other step.
  const known = code as VmEventCode;
  if (FAULT_CODES.has(known)) return { tone: "bad", icon: "alert" };
  return MARKS[known] ?? { tone: "idle", icon: "clock" };
}
