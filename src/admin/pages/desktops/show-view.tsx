/** The page of one desktop: what it is, how it is, what happened to it, and what can be done. */

import type { DesktopRow } from "../../../db/queries/desktops.ts";
import type { SessionRow } from "../../../db/queries/sessions.ts";
import type { Explanation } from "../../../domain/vm/explain-facts.ts";
import { ButtonLink, type ButtonProps, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton, PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { hrefWith } from "../../list-query.ts";
import { Facts } from "../../ui/facts.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { formatSize } from "../../ui/size.ts";
import { formatActor, Trail, type TrailItem } from "../../ui/trail.tsx";
import { HistoryCard } from "../sessions/history-card.tsx";
import { ExplanationCard } from "./explanation.tsx";
import { eventsParam, MORE_EVENTS, MOST_EVENTS } from "./shown-events.ts";
import { SessionPill, StatePill } from "./state-pill.tsx";

export const DESKTOP_ID = "desktop";

export type DesktopView = {
  readonly vm: DesktopRow;
  readonly trail: readonly TrailItem[];
  /** How many steps of the trail are asked for. */
  readonly shownEvents: number;
  readonly hasOlder: boolean;
  /** Who sits there now, if anybody does. */
  readonly session: SessionRow | undefined;
  /** The last ones, that one included. */
  readonly sessions: readonly SessionRow[];
  readonly hasTenants: boolean;
  /** Version that the tag is on; undefined when no image has it. */
  readonly tagVersion: string | undefined;
  readonly explanation: Explanation;
  readonly csrf: string;
  readonly now: Date;
};

export function DesktopRegion(props: { readonly view: DesktopView }) {
  const { view } = props;
  const { vm, now } = view;
  return (
    <LiveRegion id={DESKTOP_ID} path={hrefWith(`/desktops/${vm.id}/live`, eventsParam(view.shownEvents))}>
      <PageHead
        back={{ href: "/desktops", text: "Desktops" }}
        title={vm.name}
        status={
          <>
            <StatePill vm={vm} now={now} />
            {vm.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
          </>
        }
        actions={<Actions view={view} />}
      />
      <div class="stack">
        <Warnings view={view} />
        <ExplanationCard explanation={view.explanation} fault={vm.fault} now={now} />
        <div class="grid-split">
          <div class="stack grid-side">
            <SessionCard view={view} />
            <FactsCard view={view} />
          </div>
          <TrailCard view={view} />
        </div>
        <HistoryCard
          view={{ ...view, rows: view.sessions, back: `/desktops/${vm.id}` }}
          whose={vm.name}
          href={`/sessions?vm=${vm.id}`}
        />
      </div>
    </LiveRegion>
  );
}

function TrailCard(props: { readonly view: DesktopView }) {
  const { vm, trail, now, hasOlder, shownEvents } = props.view;
  if (trail.length === 0) {
    return (
      <Card title="What happened" isFlush>
        <Empty
          icon="clock"
          title="Nothing yet"
          text="Every step, refusal and failure of this desktop is told here. Start it to see the first."
        />
      </Card>
    );
  }
  const older = eventsParam(shownEvents + MORE_EVENTS);
  return (
    <Card title="What happened" note="Newest first" isFlush>
      <Trail items={trail} now={now} />
      {hasOlder ? (
        <div class="trail-foot">
          {shownEvents < MOST_EVENTS ? (
            <ButtonLink
              href={hrefWith(`/desktops/${vm.id}`, older)}
              label="Show older"
              isSmall
              morphs={{ path: hrefWith(`/desktops/${vm.id}/live`, older), id: DESKTOP_ID }}
            />
          ) : (
            <p class="card-note">
              The newest {MOST_EVENTS} steps; older ones are kept, and read with the API.
            </p>
          )}
        </div>
      ) : null}
    </Card>
  );
}

function Actions(props: { readonly view: DesktopView }) {
  const { vm, csrf, session, shownEvents } = props.view;
  const path = `/desktops/${vm.id}`;
  const form = { csrf, back: hrefWith(path, eventsParam(shownEvents)) };
  const isUp = vm.wish === "running";
  // Given up: it stays as it is until somebody asks afresh.
  const isGivenUp = isUp && vm.state === "stopped" && vm.fault !== null && vm.nextTryAt === null;
  return (
    <>
      {session ? (
        <PostButton {...form} action={`${path}/disconnect`} label="Disconnect" icon="disconnect" />
      ) : null}
      {isGivenUp ? (
        <PostButton {...form} action={`${path}/start`} label="Start again" icon="play" kind="main" />
      ) : null}
      {isUp ? (
        <PostButton {...form} action={`${path}/stop`} label="Stop" icon="stop" />
      ) : (
        <PostButton {...form} action={`${path}/start`} label="Start" icon="play" kind="main" />
      )}
      {vm.hypervisor === "kvm" && vm.state !== "stopped" ? (
        <VisitButton csrf={csrf} action={`${path}/console`} label="Console" icon="desktop" />
      ) : null}
      <ButtonLink href={`${path}/change`} label="Change" icon="edit" />
      {vm.isBlocked ? (
        <PostButton {...form} action={`${path}/unblock`} label="Unblock" icon="unblock" />
      ) : (
        <PostButton {...form} action={`${path}/block`} label="Block" icon="block" />
      )}
      <ButtonLink href={`/properties/vm/${vm.id}`} label="Properties" icon="tag" />
      <ButtonLink href={`${path}/delete`} label="Delete" icon="trash" />
    </>
  );
}

/** Opens a screen in a tab of its own. */
function VisitButton(
  props: ButtonProps & { readonly csrf: string; readonly action: string; readonly mayControl?: boolean },
) {
  return (
    <PostForm action={props.action} csrf={props.csrf} isBare opensTab>
      {props.mayControl === true ? <input type="hidden" name="control" value="yes" /> : null}
      <SubmitButton {...props} />
    </PostForm>
  );
}

function Warnings(props: { readonly view: DesktopView }) {
  const { vm } = props.view;
  return (
    <>
      {vm.fault ? (
        <Notice tone="bad">
          <strong>Something is wrong.</strong> {vm.fault}
        </Notice>
      ) : null}
      {vm.isBlocked ? (
        <Notice tone="warn">
          Blocked: nobody can connect{vm.blockedReason ? `. ${vm.blockedReason}` : "."}
        </Notice>
      ) : null}
    </>
  );
}

function SessionCard(props: { readonly view: DesktopView }) {
  const { vm, session, now } = props.view;
  if (!session) {
    const text =
      vm.xState === "suspended"
        ? "Nobody is connected. The programs inside go on and wait."
        : "Nobody is connected.";
    return (
      <Card title="Session" aside={<SessionPill vm={vm} />}>
        <p>{text}</p>
      </Card>
    );
  }
  const since = session.connectedAt;
  const watch = { csrf: props.view.csrf, action: `/desktops/${vm.id}/watch` };
  return (
    <Card title="Session" aside={<SessionPill vm={vm} />} isFlush>
      <Facts
        facts={[
          ["User", vm.user],
          ["From", session.clientAddress],
          [since ? "Connected" : "Asked for", <Moment at={since ?? session.requestedAt} now={now} />],
          ["To the client", formatSize(session.bytesToClient)],
          ["From the client", formatSize(session.bytesFromClient)],
        ]}
      />
      {session.access === "browser" && since ? (
        <div class="trail-foot actions">
          <VisitButton {...watch} label="Watch" icon="desktop" isSmall />
          <VisitButton {...watch} label="Watch and help" icon="users" isSmall mayControl />
        </div>
      ) : null}
    </Card>
  );
}

function FactsCard(props: { readonly view: DesktopView }) {
  const { vm, now } = props.view;
  return (
    <Card title="About" isFlush>
      <Facts
        facts={[
          ["Owner", <a href={`/users/${vm.userId}`}>{vm.user}</a>],
          ["Tenant", vm.tenant],
          ["Image", <ImageFact view={props.view} />],
          ["Kind", <KindFact vm={vm} />],
          [
            vm.state === "stopped" ? "Ran last" : "Runs",
            vm.runningVersion === null ? null : `version ${vm.runningVersion}`,
          ],
          ["Address", <code>{vm.address}</code>],
          ["Node", vm.node ?? "not placed yet"],
          ["Wish", <WishFact vm={vm} now={now} />],
          ["Created", <Moment at={vm.createdAt} now={now} />],
          ["Id", String(vm.id)],
        ]}
      />
    </Card>
  );
}

function ImageFact(props: { readonly view: DesktopView }) {
  const { vm, tagVersion } = props.view;
  const version = tagVersion === undefined ? "no image has this tag" : `version ${tagVersion}`;
  return (
    <>
      <a href={`/images#osf-${vm.osfId}`}>{vm.osf}</a>, tag {vm.tag}
      <span class="row-sub">{version}</span>
    </>
  );
}

function KindFact(props: { readonly vm: DesktopRow }) {
  const { vm } = props;
  const { hypervisor, machines } = vm;
  if (hypervisor === "lxc") return <>container</>;
  return (
    <>
      virtual machine
      {machines === null ? null : (
        <span class="row-sub">
          {machines === "tcg" ? "emulated on its node, so many times slower" : "with the processor's help"}
        </span>
      )}
      {vm.state === "running" ? (
        <span class="row-sub">
          its screen: <code>qvd vm console {vm.name}</code>
        </span>
      ) : null}
    </>
  );
}

function WishFact(props: { readonly vm: DesktopRow; readonly now: Date }) {
  const { vm, now } = props;
  return (
    <>
      {vm.wish}
      {vm.wishedAt ? (
        <span class="row-sub">
          <Moment at={vm.wishedAt} now={now} />
          {vm.wishedBy ? `, by ${formatActor(vm.wishedBy)}` : ""}
        </span>
      ) : null}
    </>
  );
}
