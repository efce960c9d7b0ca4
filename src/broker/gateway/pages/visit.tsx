/**
 * Pages of those who come to a screen that is not theirs. GET /visit: with the ticket that an administrator was given, behind
 * the `#`; nobody signs in, the ticket is all. GET /invitation/:ticket: for a user who was sent a link, signed in.
 */

import type { Handler } from "hono";
import { Document } from "../../../ui/document.tsx";
import { MAIN_ID } from "../../../ui/ids.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayEnv } from "../env.ts";
import { Tool, ToolBar, Veil } from "./screen-parts.tsx";

export function showVisit(deps: GatewayDeps): Handler<GatewayEnv> {
  return function showPage(c) {
    const assets = { ...c.get("assets"), module: deps.assets.desktopModule };
    return c.html(<VisitPage assets={assets} name="the screen" ticket={undefined} />);
  };
}

export function showInvitation(deps: GatewayDeps): Handler<GatewayEnv> {
  return function showPage(c) {
    const assets = { ...c.get("assets"), module: deps.assets.desktopModule };
    return c.html(<VisitPage assets={assets} name="the desktop" ticket={c.req.param("ticket") ?? ""} />);
  };
}

function VisitPage(props: {
  readonly assets: Parameters<typeof Document>[0]["assets"];
  readonly name: string;
  readonly ticket: string | undefined;
}) {
  const { assets, name, ticket } = props;
  // An administrator has no desktops here, and closes the tab.
  const isUser = ticket !== undefined;
  return (
    <Document title="A visit" theme="auto" assets={assets}>
      <main id={MAIN_ID} class="screen" data-visit="" data-name={name} data-ticket={ticket}>
        <h1 class="visually-hidden">A visit</h1>
        <div id="screen" class="screen-canvas" />
        <p class="watched" id="watching" role="status" hidden />
        <ToolBar label="The screen" back={isUser ? "Leave" : undefined}>
          <Tool id="fullscreen" name="Full screen" icon="fullscreen" />
          <Tool id="keyboard" name="Keyboard of the screen" icon="keyboard" />
          <Tool id="cad" name="Send Ctrl+Alt+Del" icon="key" isPlain />
        </ToolBar>
        <Veil name={name} hasDesktops={isUser} />
      </main>
    </Document>
  );
}
