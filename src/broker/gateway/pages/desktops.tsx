/** GET / and its list by itself: the desktops of whoever is signed in, each with its state and the way in. */

import type { Handler } from "hono";
import type { VmState } from "../../../domain/vm/state.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { Icon } from "../../../ui/icons.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { VM_STATE_TEXTS } from "../../../ui/vm-state.ts";
import type { DesktopView } from "../../store.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayEnv } from "../env.ts";
import { renderUserPage } from "../frame.tsx";
import { describeProvider } from "../oidc.tsx";

const LIST_ID = "desktops";

export function showDesktops(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function showList(c) {
    const { userId, tenantName } = c.get("signedIn").actor;
    const desktops = await deps.store.listDesktops(userId);
    const provider = await describeProvider(deps, c, tenantName);
    return renderUserPage(
      c,
      "Your desktops",
      <>
        <h1 class="portal-title">Your desktops</h1>
        <DesktopList desktops={desktops} />
        {provider === undefined ? null : (
          <ButtonLink
            href="/unlock/begin"
            label={`Unlock a locked screen with ${provider}`}
            icon="key"
            kind="quiet"
          />
        )}
      </>,
    );
  };
}

export function listDesktops(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function sendList(c) {
    return c.html(<DesktopList desktops={await deps.store.listDesktops(c.get("signedIn").actor.userId)} />);
  };
}

function DesktopList(props: { readonly desktops: readonly DesktopView[] }) {
  return (
    <div id={LIST_ID} hx-get="/desktops" hx-trigger="every 5s" hx-swap="outerMorph">
      {props.desktops.length === 0 ? (
        <Card>
          <Empty
            icon="desktop"
            title="You have no desktop"
            text="An administrator gives you one; ask them."
          />
        </Card>
      ) : (
        <ul class="desktop-list">
          {props.desktops.map((desktop) => (
            <DesktopTile desktop={desktop} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** What a person wants to know of a state: can I go in, and does it take a while. */
const ADVICE = {
  stopped: "Starts when you open it.",
  starting_1: "Waits for its turn.",
  starting_2: "Nearly there.",
  running: "Ready.",
  stopping_1: "Open it to start it again.",
  stopping_2: "Open it to start it again.",
  zombie_1: "Is being ended.",
  zombie_2: "Is being ended.",
} as const satisfies Record<VmState, string>;

function DesktopTile(props: { readonly desktop: DesktopView }) {
  const { id, name, state, isBlocked, console: offer } = props.desktop;
  const { tone, text } = VM_STATE_TEXTS[state];
  return (
    <li class="desktop-tile">
      <span class="desktop-icon">
        <Icon name="desktop" size={28} />
      </span>
      <div class="desktop-about">
        <h2>{name}</h2>
        <p>
          {isBlocked ? <Pill tone="warn" text="Blocked" /> : <Pill tone={tone} text={text} />}
          <span class="desktop-advice">{isBlocked ? "Offline for maintenance." : ADVICE[state]}</span>
        </p>
      </div>
      {isBlocked || offer !== "offered" ? null : (
        <ButtonLink
          label="Console"
          about={`of ${name}`}
          kind="quiet"
          href={`/desktop/${id}?screen=console`}
        />
      )}
      {isBlocked ? null : <ButtonLink label="Open" about={name} kind="main" href={`/desktop/${id}`} />}
    </li>
  );
}
