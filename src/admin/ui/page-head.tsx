import type { Child } from "hono/jsx";
import { Icon } from "../../ui/icons.tsx";

/** The head of a page: where one came from, what this is, how it is, what can be done. */
export function PageHead(props: {
  readonly title: string;
  readonly lead?: Child;
  readonly status?: Child;
  readonly actions?: Child;
  readonly back?: { readonly href: string; readonly text: string };
}) {
  return (
    <div class="page-head">
      <div class="page-head-text">
        {props.back ? (
          <a class="crumb" href={props.back.href}>
            <Icon name="back" size={15} />
            {props.back.text}
          </a>
        ) : null}
        <div class="title-row">
          <h1>{props.title}</h1>
          {props.status}
        </div>
        {props.lead ? <p class="page-lead">{props.lead}</p> : null}
      </div>
      {props.actions ? <div class="actions">{props.actions}</div> : null}
    </div>
  );
}
