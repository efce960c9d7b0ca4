import type { PropsWithChildren } from "hono/jsx";

/** What most readers needn't see, one press away. Works without a script. */
export function Fold(props: PropsWithChildren<{ readonly summary: string; readonly isOpen?: boolean }>) {
  return (
    <details class="fold" open={props.isOpen}>
      <summary>{props.summary}</summary>
      {props.children}
    </details>
  );
}
