/** A page that is a form: its head, what was wrong as a whole, the fields, and the two ways out. */

import type { PropsWithChildren } from "hono/jsx";
import { ButtonLink, SubmitButton } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { PostForm } from "../../ui/form.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Prose } from "../../ui/prose.tsx";
import { Narrow } from "./narrow.tsx";
import { PageHead } from "./page-head.tsx";

export function FormPage(
  props: PropsWithChildren<{
    readonly title: string;
    readonly lead?: string;
    readonly back: { readonly href: string; readonly text: string };
    readonly action: string;
    readonly csrf: string;
    readonly submit: string;
    readonly error: string | undefined;
  }>,
) {
  return (
    <Narrow>
      <PageHead title={props.title} lead={props.lead} back={props.back} />
      <Card>
        <PostForm action={props.action} csrf={props.csrf}>
          {props.error ? (
            <Notice tone="bad">
              <Prose text={props.error} />
            </Notice>
          ) : null}
          {props.children}
          <div class="actions">
            <SubmitButton label={props.submit} kind="main" />
            <ButtonLink href={props.back.href} label="Cancel" kind="quiet" />
          </div>
        </PostForm>
      </Card>
    </Narrow>
  );
}
