/**
 * Forms. Each carries the session's CSRF token. With `isInPlace` htmx posts it, follows the redirect and
 * morphs the main region, so that the reader keeps place and focus; without htmx it is an ordinary post.
 */

import type { PropsWithChildren } from "hono/jsx";
import { type ButtonProps, SubmitButton } from "./button.tsx";
import { MAIN_ID } from "./ids.ts";

export const CSRF_FIELD = "csrf";
export const BACK_FIELD = "back";

export type FormProps = PropsWithChildren<{
  readonly action: string;
  readonly csrf: string;
  /** Where the redirect leads; a path of ours. */
  readonly back?: string;
  readonly isInPlace?: boolean;
  readonly isBare?: boolean;
  /** What it leads to is shown in a tab of its own, which knows nothing of this one. */
  readonly opensTab?: boolean;
  readonly label?: string;
  readonly id?: string;
}>;

export function PostForm(props: FormProps) {
  const htmx = props.isInPlace
    ? {
        "hx-post": props.action,
        "hx-target": `#${MAIN_ID}`,
        "hx-select": `#${MAIN_ID}`,
        "hx-swap": "outerMorph",
        "hx-disable": "find button",
      }
    : {};
  return (
    <form
      id={props.id}
      method="post"
      action={props.action}
      class={props.isBare ? undefined : "form"}
      target={props.opensTab ? "_blank" : undefined}
      rel={props.opensTab ? "noopener" : undefined}
      aria-label={props.label}
      {...htmx}
    >
      <input type="hidden" name={CSRF_FIELD} value={props.csrf} />
      {props.back ? <input type="hidden" name={BACK_FIELD} value={props.back} /> : null}
      {props.children}
    </form>
  );
}

/** One button that changes something. */
export function PostButton(
  props: ButtonProps & {
    readonly action: string;
    readonly csrf: string;
    readonly back?: string;
    readonly fields?: Readonly<Record<string, string>>;
  },
) {
  return (
    <PostForm
      action={props.action}
      csrf={props.csrf}
      isInPlace
      isBare
      {...(props.back === undefined ? {} : { back: props.back })}
    >
      {Object.entries(props.fields ?? {}).map(([name, value]) => (
        <input type="hidden" name={name} value={value} />
      ))}
      <SubmitButton {...props} />
    </PostForm>
  );
}
