/** What every page with a screen is made of: its bar of tools, the veil before it, and who else sees it. */

import type { PropsWithChildren } from "hono/jsx";
import { ButtonLink } from "../../../ui/button.tsx";
import { Icon, type IconName } from "../../../ui/icons.tsx";

export function ToolBar(
  props: PropsWithChildren<{ readonly label: string; readonly back: string | undefined }>,
) {
  return (
    <div class="screen-bar" id="bar" role="toolbar" aria-label={props.label} hidden>
      {props.back === undefined ? null : (
        <a class="screen-tool" href="/" title={props.back}>
          <Icon name="back" size={20} />
          <span class="visually-hidden">{props.back}</span>
        </a>
      )}
      {props.children}
    </div>
  );
}

export type ToolProps = {
  readonly id: string;
  readonly name: string;
  readonly icon: IconName;
  readonly isHidden?: boolean;
  /** Does something once; others are on or off. */
  readonly isPlain?: boolean;
};

export function Tool(props: ToolProps) {
  const { id, name, icon, isHidden = false, isPlain = false } = props;
  return (
    <button
      class="screen-tool"
      type="button"
      id={id}
      title={name}
      aria-pressed={isPlain ? undefined : "false"}
      hidden={isHidden}
    >
      <Icon name={icon} size={20} />
      <span class="visually-hidden">{name}</span>
    </button>
  );
}

/** The owner's: who asks, who watches, and how somebody is invited. Filled in by the script. */
export function SharingParts() {
  return (
    <>
      <p class="watched" id="watched" role="status" hidden>
        <Icon name="users" size={16} />
        <span id="watched-text" />
      </p>
      <dialog class="files" id="sharing" aria-labelledby="sharing-title">
        <h2 id="sharing-title">Let somebody see this desktop</h2>
        <p class="files-note">
          A link for one person who can sign in here. You see who comes, and may end it at any time.
        </p>
        <div class="actions">
          <button class="button button-main" type="button" id="invite-see">
            Invite to see
          </button>
          <button class="button" type="button" id="invite-control">
            Invite to see and control
          </button>
        </div>
        <label class="invitation" id="invitation-part" hidden>
          The link
          <input class="input" id="invitation" type="text" readonly />
        </label>
        <p id="sharing-state" role="status" />
        <ul class="files-list" id="sharing-list" />
        <form method="dialog">
          <button class="button" type="submit">
            Close
          </button>
        </form>
      </dialog>
      <dialog class="files" id="question" aria-labelledby="question-title">
        <h2 id="question-title">May they see your desktop?</h2>
        <p class="files-note" id="question-text" />
        <div class="actions">
          <button class="button" type="button" id="question-no">
            No
          </button>
          <button class="button button-main" type="button" id="question-yes">
            Let them see it
          </button>
        </div>
      </dialog>
    </>
  );
}

/** What stands in front of the screen while it isn't there. */
export function Veil(props: { readonly name: string; readonly hasDesktops?: boolean }) {
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
          {props.hasDesktops === false ? null : <ButtonLink label="To your desktops" href="/" />}
        </div>
      </div>
    </div>
  );
}
