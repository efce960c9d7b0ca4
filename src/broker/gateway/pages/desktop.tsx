/** GET /desktop/:id, the page that a desktop is shown in, and POST /desktop/:id/ticket, which opens it. */

import type { Handler } from "hono";
import { parseId, type VmId } from "../../../domain/ids.ts";
import { AppError } from "../../../lib/errors.ts";
import { Document } from "../../../ui/document.tsx";
import { Icon, type IconName } from "../../../ui/icons.tsx";
import { MAIN_ID } from "../../../ui/ids.ts";
import type { DesktopView } from "../../store.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { SharingParts, Tool, ToolBar, Veil } from "./screen-parts.tsx";

export function showDesktop(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function showScreen(c) {
    const { id, name, console: offer } = await findOwnDesktop(deps, c);
    const isConsole = offer === "only" || (offer === "offered" && c.req.query("screen") === "console");
    const assets = { ...c.get("assets"), module: deps.assets.desktopModule };
    return c.html(
      <Document title={name} theme="auto" assets={assets}>
        <main
          id={MAIN_ID}
          class="screen"
          data-desktop={String(id)}
          data-name={name}
          data-audio={deps.assets.audioModule}
          data-screen={isConsole ? "console" : "session"}
          data-csrf={c.get("signedIn").csrfToken}
        >
          <h1 class="visually-hidden">{name}</h1>
          <div id="screen" class="screen-canvas" />
          <Toolbar name={name} isConsole={isConsole} />
          <Files />
          <SharingParts />
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

function Toolbar(props: { readonly name: string; readonly isConsole: boolean }) {
  // The screen of a machine has nobody inside who would take files, or know what was copied.
  const { name, isConsole } = props;
  return (
    <ToolBar label={`Desktop ${name}`} back="Leave; the desktop goes on">
      <Tool id="fullscreen" name="Full screen" icon="fullscreen" />
      <Tool id="clipboard" name="Share the clipboard" icon="clipboard" isHidden={isConsole} />
      <SoundTools />
      <Tool id="files-open" name="Files" icon="upload" isHidden={isConsole} isPlain />
      <Tool id="share" name="Let somebody see this desktop" icon="users" isHidden={isConsole} isPlain />
      <Tool id="keyboard" name="Keyboard of the screen" icon="keyboard" />
      <Tool id="cad" name="Send Ctrl+Alt+Del" icon="key" isPlain />
    </ToolBar>
  );
}

/** Shown where the desktop's rules allow it. */
function SoundTools() {
  return (
    <>
      <Toggle id="sound" name="Hear the desktop" icon="speaker" />
      <Toggle id="microphone" name="Give your microphone" icon="microphone" />
      <span class="visually-hidden" id="sound-state" role="status" />
    </>
  );
}

function Toggle(props: { readonly id: string; readonly name: string; readonly icon: IconName }) {
  const { id, name, icon } = props;
  return (
    <button
      class="screen-tool"
      type="button"
      id={id}
      aria-pressed="false"
      title={name}
      data-name={name}
      hidden
    >
      <Icon name={icon} size={20} />
      <span class="visually-hidden">{name}</span>
    </button>
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
