/** GET /desktop/:id, the page that a desktop is shown in, and POST /desktop/:id/ticket, which opens it. */

import type { Handler } from "hono";
import { parseId, type VmId } from "../../../domain/ids.ts";
import { AppError } from "../../../lib/errors.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Document } from "../../../ui/document.tsx";
import { Icon } from "../../../ui/icons.tsx";
import { MAIN_ID } from "../../../ui/ids.ts";
import type { DesktopView } from "../../store.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";

export function showDesktop(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function showScreen(c) {
    const { id, name } = await findOwnDesktop(deps, c);
    const assets = { ...c.get("assets"), module: deps.assets.desktopModule };
    return c.html(
      <Document title={name} theme="auto" assets={assets}>
        <main
          id={MAIN_ID}
          class="screen"
          data-desktop={String(id)}
          data-name={name}
          data-csrf={c.get("signedIn").csrfToken}
        >
          <h1 class="visually-hidden">{name}</h1>
          <div id="screen" class="screen-canvas" />
          <Toolbar name={name} />
          <Files />
          <Veil name={name} />
        </main>
      </Document>,
    );
  };
}

export function issueTicket(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function sendTicket(c) {
    const { actor, token } = c.get("signedIn");
    const vmId = readVmId(c);
    const ticket = await deps.web.issueTicket(
      { actor, origin: c.env.address },
      { vmId, sessionToken: token },
    );
    return c.json({ ticket });
  };
}

function Toolbar(props: { readonly name: string }) {
  return (
    <div class="screen-bar" id="bar" role="toolbar" aria-label={`Desktop ${props.name}`} hidden>
      <a class="screen-tool" href="/" title="Leave; the desktop goes on">
        <Icon name="back" size={20} />
        <span class="visually-hidden">Leave; the desktop goes on</span>
      </a>
      <button class="screen-tool" type="button" id="fullscreen" title="Full screen">
        <Icon name="fullscreen" size={20} />
        <span class="visually-hidden">Full screen</span>
      </button>
      <button
        class="screen-tool"
        type="button"
        id="clipboard"
        aria-pressed="false"
        title="Share the clipboard"
      >
        <Icon name="clipboard" size={20} />
        <span class="visually-hidden">Share the clipboard</span>
      </button>
      <button class="screen-tool" type="button" id="files-open" title="Files">
        <Icon name="upload" size={20} />
        <span class="visually-hidden">Files</span>
      </button>
      <button class="screen-tool" type="button" id="keyboard" title="Keyboard of the screen">
        <Icon name="keyboard" size={20} />
        <span class="visually-hidden">Keyboard of the screen</span>
      </button>
      <button class="screen-tool" type="button" id="cad" title="Send Ctrl+Alt+Del">
        <Icon name="key" size={20} />
        <span class="visually-hidden">Send Ctrl+Alt+Del</span>
      </button>
    </div>
  );
}

/** Files to and from the folder `Downloads` of the desktop; filled in by the script. */
function Files() {
  return (
    <dialog class="files" id="files" aria-labelledby="files-title">
      <h2 id="files-title">Files</h2>
      <p class="files-note">
        They lie in <code>Downloads</code> of your desktop.
      </p>
      <label class="button button-main files-give">
        Send a file
        <input class="files-input" type="file" id="files-input" multiple />
      </label>
      <p id="files-state" role="status" />
      <ul class="files-list" id="files-list" />
      <form method="dialog">
        <button class="button" type="submit">
          Close
        </button>
      </form>
    </dialog>
  );
}

/** What stands in front of the screen while it isn't there. */
function Veil(props: { readonly name: string }) {
  return (
    <div class="veil" id="veil">
      <div class="veil-box" role="status" aria-live="polite">
        <span class="veil-spinner" id="spinner" aria-hidden="true" />
        <h2 id="veil-title">{`Opening ${props.name}`}</h2>
        <p id="veil-text">One moment.</p>
        <div class="actions">
          <button class="button button-main" type="button" id="again" hidden>
            Try again
          </button>
          <ButtonLink label="To your desktops" href="/" />
        </div>
      </div>
    </div>
  );
}

/** Throws `not-found` also for somebody else's: which desktops there are is nobody's business. */
async function findOwnDesktop(deps: GatewayDeps, c: GatewayContext): Promise<DesktopView> {
  const desktop = await deps.store.readDesktop(readVmId(c));
  if (desktop === undefined || desktop.userId !== c.get("signedIn").actor.userId)
    throw new AppError("not-found", "You have no such desktop.");
  return desktop;
}

function readVmId(c: GatewayContext): VmId {
  const vmId = parseId<VmId>(c.req.param("id") ?? "");
  if (vmId === undefined) throw new AppError("not-found", "You have no such desktop.");
  return vmId;
}
