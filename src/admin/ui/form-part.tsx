import type { PropsWithChildren } from "hono/jsx";

/** A part of a long form under a heading of its own. */
export function FormPart(props: PropsWithChildren<{ readonly title: string }>) {
  return (
    <fieldset class="form-part">
      <legend>{props.title}</legend>
      {props.children}
    </fieldset>
  );
}
