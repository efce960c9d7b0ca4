/** Buttons. What changes something is a form that posts; what only leads somewhere is a link. */

import type { Child } from "hono/jsx";
import { Icon, type IconName } from "./icons.tsx";

export type ButtonLook = {
  readonly kind?: "main" | "danger" | "quiet" | "plain";
  readonly icon?: IconName;
  readonly isSmall?: boolean;
  readonly isWide?: boolean;
  /** Shows the icon alone; the label is read out and shown as a tooltip. */
  readonly isIconOnly?: boolean;
  /** Fits into a line of text. */
  readonly isTiny?: boolean;
};

const KINDS = {
  main: "button button-main",
  danger: "button button-danger",
  quiet: "button button-quiet",
  plain: "button",
} as const;

function classOf(look: ButtonLook): string {
  const words: string[] = [KINDS[look.kind ?? "plain"]];
  if (look.isSmall) words.push("button-small");
  if (look.isWide) words.push("button-wide");
  if (look.isIconOnly) words.push("button-icon");
  if (look.isTiny) words.push("button-tiny");
  return words.join(" ");
}

function Face(props: {
  readonly look: ButtonLook;
  readonly label: string;
  readonly about: string | undefined;
}): Child {
  const { look, label, about } = props;
  return (
    <>
      {look.icon ? <Icon name={look.icon} size={look.isTiny ? 12 : look.isSmall ? 16 : 18} /> : null}
      {look.isIconOnly ? <span class="visually-hidden">{label}</span> : label}
      {about ? <span class="visually-hidden"> {about}</span> : null}
    </>
  );
}

export type ButtonProps = ButtonLook & {
  readonly label: string;
  /** The thing that the button acts on, for those who hear it apart from its row. */
  readonly about?: string;
};

export function SubmitButton(
  props: ButtonProps & { readonly name?: string; readonly value?: string; readonly formAction?: string },
) {
  return (
    <button
      type="submit"
      class={classOf(props)}
      name={props.name}
      value={props.value}
      formaction={props.formAction}
      title={props.isIconOnly ? props.label : undefined}
    >
      <Face look={props} label={props.label} about={props.about} />
    </button>
  );
}

/** With `morphs` a script spares the reload: the region `id` is fetched from `path`, and the address follows. */
export function ButtonLink(
  props: ButtonProps & {
    readonly href: string;
    readonly morphs?: { readonly path: string; readonly id: string };
  },
) {
  const { morphs } = props;
  return (
    <a
      class={classOf(props)}
      href={props.href}
      title={props.isIconOnly ? props.label : undefined}
      hx-get={morphs?.path}
      hx-target={morphs ? `#${morphs.id}` : undefined}
      hx-swap={morphs ? "outerMorph" : undefined}
      hx-push-url={morphs ? props.href : undefined}
    >
      <Face look={props} label={props.label} about={props.about} />
    </a>
  );
}
