/** Asks before something is destroyed: says what goes, what stays, and offers the way back. */

import type { Child } from "hono/jsx";
import { ButtonLink, SubmitButton } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { PostForm } from "../../ui/form.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Prose } from "../../ui/prose.tsx";
import { Narrow } from "./narrow.tsx";
import { PageHead } from "./page-head.tsx";

export function Confirm(props: {
  readonly title: string;
  readonly back: { readonly href: string; readonly text: string };
  readonly action: string;
  readonly csrf: string;
  readonly label: string;
  /** Why it can't be done now, and what has to be done first; then only the way back is offered. */
  readonly hurdle?: string | undefined;
  readonly error: string | undefined;
  readonly children: Child;
}) {
  const isHeld = props.hurdle !== undefined && props.error === undefined;
  return (
    <Narrow>
      <PageHead title={props.title} back={props.back} />
      <Card>
        <PostForm action={props.action} csrf={props.csrf}>
          {props.error ? (
            <Notice tone="bad">
              <Prose text={props.error} />
            </Notice>
          ) : null}
          {isHeld ? (
            <Notice tone="warn">
              <Prose text={props.hurdle ?? ""} />
            </Notice>
          ) : null}
          <div class="stack">{props.children}</div>
          <div class="actions">
            {isHeld ? (
              <ButtonLink href={props.back.href} label={`Back to ${props.back.text}`} kind="main" />
            ) : (
              <>
                <SubmitButton label={props.label} kind="danger" icon="trash" />
                <ButtonLink href={props.back.href} label="Keep it" kind="quiet" />
              </>
            )}
          </div>
        </PostForm>
      </Card>
    </Narrow>
  );
}
