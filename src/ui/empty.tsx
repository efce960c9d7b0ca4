import type { Child } from "hono/jsx";
import { Icon, type IconName } from "./icons.tsx";
import { Prose } from "./prose.tsx";

/** Nothing to show: says why, and what to do next. */
export function Empty(props: {
  readonly icon: IconName;
  readonly title: string;
  readonly text: string;
  readonly actions?: Child;
  /** 1 where it is all that the page says. */
  readonly level?: 1 | 2;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={props.icon} size={24} />
      </span>
      {props.level === 1 ? <h1>{props.title}</h1> : <h2>{props.title}</h2>}
      <p>
        <Prose text={props.text} />
      </p>
      {props.actions ? <div class="actions">{props.actions}</div> : null}
    </div>
  );
}
