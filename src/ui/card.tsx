import type { Child, PropsWithChildren } from "hono/jsx";

/** A titled box. `isFlush` lets lists and tables reach its edges. */
export function Card(
  props: PropsWithChildren<{
    readonly title?: string;
    readonly note?: Child;
    readonly aside?: Child;
    readonly isFlush?: boolean;
    readonly id?: string;
  }>,
) {
  return (
    <section class="card" id={props.id}>
      {props.title === undefined ? null : (
        <header class="card-head">
          <h2>{props.title}</h2>
          {props.aside ?? (props.note === undefined ? null : <span class="card-note">{props.note}</span>)}
        </header>
      )}
      {props.isFlush ? props.children : <div class="card-body">{props.children}</div>}
    </section>
  );
}
