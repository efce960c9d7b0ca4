/** The nodes: how each box is, what it carries, what is wrong there and what to do about it. */

import type { NodeRow } from "../../../db/queries/nodes.ts";
import { describeLease } from "../../../domain/node/describe-lease.ts";
import type { NodeFacts, NodeProblem, WorkerFacts } from "../../../domain/node/report.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { Prose } from "../../../ui/prose.tsx";
import type { Tone } from "../../../ui/tone.ts";
import { Facts } from "../../ui/facts.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { formatSize } from "../../ui/size.ts";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { describeNode, listNodeProblems, readNodeFacts } from "./describe.ts";

export const NODES_ID = "nodes";

export type NodesView = { readonly nodes: readonly NodeRow[]; readonly csrf: string; readonly now: Date };

export function NodesRegion(props: { readonly view: NodesView }) {
  const { view } = props;
  return (
    <LiveRegion id={NODES_ID} path="/nodes/live" class="stack">
      {view.nodes.length === 0 ? (
        <Card>
          <Empty
            icon="node"
            title="No node yet"
            text="A node registers itself when `qvd node run` starts on a box that uses this database. `qvd node invite` on this one lets another join."
          />
        </Card>
      ) : (
        view.nodes.map((node) => <NodeCard node={node} view={view} />)
      )}
    </LiveRegion>
  );
}

function NodeCard(props: { readonly node: NodeRow; readonly view: NodesView }) {
  const { node, view } = props;
  const { tone, text } = describeNode(node);
  const facts = readNodeFacts(node);
  return (
    <Card
      id={`node-${node.id}`}
      title={node.name}
      isFlush
      aside={
        <div class="actions">
          <Pill tone={tone} text={text} />
          {node.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
          {node.drain === null ? null : <Pill tone="warn" text={drainText(node)} />}
          <Actions node={node} csrf={view.csrf} />
        </div>
      }
    >
      <Problems problems={listNodeProblems(node)} />
      <Strangers node={node} strangers={facts?.strangers ?? []} />
      <Facts
        isWide
        facts={[
          ["Desktops", `${node.desktops}, ${node.running} up`],
          ["Sessions", String(node.connected)],
          ["Address", node.address],
          ["Homes", node.sharedId === null ? "on its own disk" : "on shared storage"],
          ["Weight", node.weight === 0 ? "0, the last resort" : String(node.weight)],
          ["Lease", leaseText(node, facts)],
          ["Last report", node.reportedAt ? <Moment at={node.reportedAt} now={view.now} /> : "none yet"],
          ["Up since", node.startedAt ? <Moment at={node.startedAt} now={view.now} /> : null],
          [
            "Memory free",
            facts ? `${formatSize(facts.memoryFreeMb * 1e6)} of ${formatSize(facts.memoryMb * 1e6)}` : null,
          ],
          ["Disk free", facts ? formatSize(facts.diskFreeMb * 1e6) : null],
          ["Version", facts?.version],
        ]}
      />
      {facts && facts.workers.length > 0 ? <Workers workers={facts.workers} now={view.now} /> : null}
    </Card>
  );
}

/** A drained node that is empty can be taken away. */
function drainText(node: NodeRow): string {
  if (node.desktops === 0) return "Drained";
  return node.drain === "move" ? "Draining: desktops move" : "Draining: desktops finish";
}

function Actions(props: { readonly node: NodeRow; readonly csrf: string }) {
  const { node, csrf } = props;
  const path = `/nodes/${node.id}`;
  const common = { csrf, about: node.name, isSmall: true } as const;
  return (
    <>
      {node.isBlocked ? (
        <PostButton {...common} action={`${path}/unblock`} label="Unblock" icon="unblock" />
      ) : (
        <PostButton {...common} action={`${path}/block`} label="Block" icon="block" />
      )}
      {node.drain === null ? (
        <ButtonLink href={`${path}/drain`} label="Drain" about={node.name} icon="disconnect" isSmall />
      ) : (
        <PostButton {...common} action={`${path}/undrain`} label="End the drain" icon="play" />
      )}
      <ButtonLink href={`${path}/change`} label="Change" about={node.name} icon="edit" isSmall />
      <ButtonLink
        href={`/properties/node/${node.id}`}
        label="Properties"
        about={node.name}
        icon="tag"
        isSmall
      />
      {node.isLeaseValid ? null : (
        <ButtonLink href={`${path}/remove`} label="Remove" about={node.name} icon="trash" isSmall />
      )}
    </>
  );
}

function leaseText(node: NodeRow, facts: NodeFacts | null | undefined): string {
  return describeLease({
    epoch: node.epoch,
    isValid: node.isLeaseValid,
    lapsedMs: node.leaseLapsedMs,
    lostMs: node.leaseLostMs,
    facts: facts?.lease,
  });
}

function Problems(props: { readonly problems: readonly NodeProblem[] }) {
  if (props.problems.length === 0) return null;
  return (
    <div class="card-body stack">
      {props.problems.map((problem) => (
        <Notice tone="warn">
          <strong>
            <Prose text={problem.text} />
          </strong>{" "}
          <Prose text={problem.advice} />
        </Notice>
      ))}
    </div>
  );
}

/** Each can be ended, by its number. */
function Strangers(props: { readonly node: NodeRow; readonly strangers: readonly number[] }) {
  const { node, strangers } = props;
  if (strangers.length === 0) return null;
  return (
    <div class="card-body actions">
      {strangers.slice(0, MOST_STRANGERS).map((vmId) => (
        <ButtonLink
          href={`/nodes/${node.id}/strangers/${vmId}/end`}
          label={`End desktop ${vmId}`}
          about={`on ${node.name}`}
          icon="stop"
          isSmall
        />
      ))}
    </div>
  );
}

const MOST_STRANGERS = 20;

const WORKER_TONES = {
  running: "good",
  restarting: "warn",
  stopped: "bad",
  draining: "busy",
} as const satisfies Record<WorkerFacts["state"], Tone>;

function Workers(props: { readonly workers: readonly WorkerFacts[]; readonly now: Date }) {
  const columns = [
    { title: "Process" },
    { title: "State" },
    { title: "Sessions" },
    { title: "Up since" },
    { title: "Restarts" },
  ];
  return (
    <Table caption="Processes of this node" columns={columns}>
      {props.workers.map((worker) => (
        <tr>
          <TitleCell text={worker.name} sub={worker.pid === null ? undefined : `pid ${worker.pid}`} />
          <Cell label="State">
            <Pill tone={WORKER_TONES[worker.state]} text={worker.state} />
            {worker.deadlineAtMs === undefined ? null : (
              <>
                {" until "}
                <Moment at={new Date(worker.deadlineAtMs)} now={props.now} />
              </>
            )}
          </Cell>
          <Cell label="Sessions" isEmpty={worker.connections === null}>
            {String(worker.connections)}
            {worker.turnedAway === undefined ? null : ` (${worker.turnedAway} turned away)`}
          </Cell>
          <Cell label="Up since" isEmpty={worker.startedAtMs === null}>
            <Moment at={new Date(worker.startedAtMs ?? 0)} now={props.now} />
          </Cell>
          <Cell label="Restarts">{String(worker.restarts)}</Cell>
        </tr>
      ))}
    </Table>
  );
}
