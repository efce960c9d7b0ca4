/** The first page: the figures, what is wrong, who sits where. */

import type { NodeRow } from "../../../db/queries/nodes.ts";
import type { Overview } from "../../../db/queries/overview.ts";
import type { SessionRow } from "../../../db/queries/sessions.ts";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { Icon } from "../../../ui/icons.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { Prose } from "../../../ui/prose.tsx";
import { TONE_CLASSES } from "../../../ui/tone.ts";
import { STATE_GROUPS } from "../../../ui/vm-state.ts";
import { Figure } from "../../ui/figure.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { ShareBar } from "../../ui/share-bar.tsx";
import { describeNode } from "../nodes/describe.ts";
import type { Trouble } from "./troubles.ts";

export const OVERVIEW_ID = "overview";

export type OverviewView = {
  readonly figures: Overview;
  readonly sessions: readonly SessionRow[];
  readonly nodes: readonly NodeRow[];
  readonly isSite: boolean;
  readonly troubles: readonly Trouble[];
  readonly now: Date;
};

export function OverviewRegion(props: { readonly view: OverviewView }) {
  const { view } = props;
  return (
    <LiveRegion id={OVERVIEW_ID} path="/overview/live" class="stack">
      <Figures view={view} />
      <div class="grid-split">
        <div class="stack">
          <Troubles troubles={view.troubles} />
          {view.figures.desktops > 0 ? <States figures={view.figures} /> : null}
        </div>
        <div class="stack">
          <Sessions view={view} />
          {view.isSite ? <Nodes view={view} /> : null}
        </div>
      </div>
    </LiveRegion>
  );
}

function Figures(props: { readonly view: OverviewView }) {
  const { figures, nodes, isSite } = props.view;
  const up = nodes.filter(
    (node) => describeNode(node).tone === "good" || describeNode(node).tone === "warn",
  ).length;
  const blocked = (count: number) => (count === 0 ? "none blocked" : `${count} blocked`);
  return (
    <div class="grid-tiles">
      <Figure
        name="Desktops running"
        icon="desktop"
        value={String(figures.desktopsByState.running)}
        note={`of ${figures.desktops}`}
        href="/desktops?state=running"
      />
      <Figure
        name="Sessions"
        icon="session"
        value={String(figures.connectedSessions)}
        note="connected now"
        href="/desktops"
      />
      <Figure
        name="Users"
        icon="users"
        value={String(figures.users)}
        note={blocked(figures.blockedUsers)}
        href="/users"
      />
      <Figure
        name="Images"
        icon="image"
        value={String(figures.images)}
        note={figures.failedImages === 0 ? "none failed" : `${figures.failedImages} failed`}
        href="/images"
      />
      {isSite ? (
        <Figure name="Nodes up" icon="node" value={String(up)} note={`of ${nodes.length}`} href="/nodes" />
      ) : null}
    </div>
  );
}

function Troubles(props: { readonly troubles: readonly Trouble[] }) {
  const { troubles } = props;
  if (troubles.length === 0) {
    return (
      <Card title="What needs attention" isFlush>
        <ul class="rows">
          <li>
            <span class={`trail-mark ${TONE_CLASSES.good}`}>
              <Icon name="check" size={15} />
            </span>
            <span class="rows-main">Nothing. Everything is as it should be.</span>
          </li>
        </ul>
      </Card>
    );
  }
  return (
    <Card title="What needs attention" note={String(troubles.length)} isFlush>
      <ul class="rows">
        {troubles.map((trouble) => (
          <li>
            <span class={`trail-mark ${TONE_CLASSES[trouble.tone]}`}>
              <Icon name="alert" size={15} />
            </span>
            <span class="rows-main">
              <a class="row-title" href={trouble.href}>
                <Prose text={trouble.title} />
              </a>
              <span class="row-sub">
                <Prose text={trouble.text} />
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function States(props: { readonly figures: Overview }) {
  const { figures } = props;
  const shares = STATE_GROUPS.map((group) => ({
    ...group,
    count: group.states.reduce((sum, state) => sum + figures.desktopsByState[state], 0),
  }));
  return (
    <Card title="Desktops by state" note={`${figures.desktops} in all`}>
      <ShareBar shares={shares} />
      <ul class="legend">
        {shares.map((share) => (
          <li>
            <a href={`/desktops?state=${share.key}`} class="legend-link">
              <Pill tone={share.tone} text={`${share.text} ${share.count}`} />
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Sessions(props: { readonly view: OverviewView }) {
  const { sessions, now } = props.view;
  return (
    <Card title="Who is connected" isFlush>
      {sessions.length === 0 ? (
        <Empty
          icon="session"
          title="Nobody right now"
          text="Whoever connects with a QVD client shows up here at once."
        />
      ) : (
        <ul class="rows">
          {sessions.map((session) => (
            <li>
              <span class="rows-main">
                <a class="row-title" href={`/desktops/${session.vmId}`}>
                  {session.user}
                </a>
                <span class="row-sub">
                  {session.vm}
                  {session.clientAddress ? ` from ${session.clientAddress}` : ""}
                </span>
              </span>
              {session.connectedAt ? (
                <span class="card-note">
                  <Moment at={session.connectedAt} now={now} />
                </span>
              ) : (
                <Pill tone="busy" text="Connecting" />
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Nodes(props: { readonly view: OverviewView }) {
  const { nodes } = props.view;
  return (
    <Card title="Nodes" isFlush>
      {nodes.length === 0 ? (
        <Empty
          icon="node"
          title="No node yet"
          text="A node registers itself when `qvd node run` starts on a box."
        />
      ) : (
        <ul class="rows">
          {nodes.map((node) => {
            const { tone, text } = describeNode(node);
            return (
              <li>
                <span class="rows-main">
                  <a class="row-title" href={`/nodes#node-${node.id}`}>
                    {node.name}
                  </a>
                  <span class="row-sub">
                    {node.running} of {node.desktops} desktops up
                  </span>
                </span>
                <Pill tone={tone} text={text} />
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
