/** A page that is a form: its head, what was wrong as a whole, the fields, and the two ways out. */

import type { PropsWithChildren } from "hono/jsx";
import { ButtonLink, SubmitButton } from "./button.tsx";
import { Card } from "./card.tsx";
import { PostForm } from "./form.tsx";
import { Narrow } from "./narrow.tsx";
import { Notice } from "./notice.tsx";
import { PageHead } from "./page-head.tsx";
import { Prose } from "./prose.tsx";

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
