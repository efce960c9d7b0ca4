/** What the pages of users and of administrators show of a second factor: asking for a code, setting one up, its recovery codes. */

import { drawQr } from "../domain/second-factor/draw-qr.ts";
import { ButtonLink, SubmitButton } from "./button.tsx";
import { TextField } from "./field.tsx";
import { PostForm } from "./form.tsx";
import { Notice } from "./notice.tsx";

/** Asks for the other half of a sign-in. */
export function CodeFields(props: { readonly ticket: string }) {
  return (
    <>
      <input type="hidden" name="ticket" value={props.ticket} />
      <TextField
        name="code"
        label="Code"
        hint="From your authenticator app, or one of your recovery codes."
        autocomplete="one-time-code"
        isRequired
        isFirst
      />
    </>
  );
}

/** Of `begin-enrolment`. */
export type SetUp = { readonly secret: string; readonly uri: string; readonly ticket: string };

/** Shows the secret once, as a picture and to type, and asks for the first code. */
export function SetUpFields(props: { readonly setUp: SetUp; readonly text?: string | undefined }) {
  const { secret, uri, ticket } = props.setUp;
  const { size, path } = drawQr(uri);
  return (
    <>
      {props.text === undefined ? null : <Notice tone="bad">{props.text}</Notice>}
      <p>Scan this with an authenticator app on your phone. It then shows a code of six digits.</p>
      <svg
        role="img"
        aria-label="QR code for your authenticator app"
        width="220"
        height="220"
        viewBox={`0 0 ${size} ${size}`}
      >
        <rect width={size} height={size} fill="#ffffff" />
        <path d={path} fill="#000000" />
      </svg>
      <p>
        No camera? Type this key: <code>{secret.match(/.{1,4}/g)?.join(" ")}</code>
      </p>
      <input type="hidden" name="set-up" value={ticket} />
      <input type="hidden" name="set-up-uri" value={uri} />
      <TextField
        name="code"
        label="Code that the app shows"
        autocomplete="one-time-code"
        isRequired
        isFirst
      />
    </>
  );
}

export const WRONG_FIRST_CODE =
  "This is not the code of this key, or it is too old. Wait for the next one and type that. If it is refused again, look at the clock of your phone.";

/** Longer than any of ours; a picture of more could not be drawn. */
const LONGEST_URI = 500;

/**
 * The set-up that a form of `SetUpFields` was sent with, so that a mistyped code costs no second scan; undefined
 * where it isn't one. What comes back is shown to nobody but who sent it, and the ticket is judged by auth alone.
 */
export function readSetUp(fields: Readonly<Record<string, unknown>>): SetUp | undefined {
  const { "set-up": ticket, "set-up-uri": uri } = fields;
  if (typeof ticket !== "string" || typeof uri !== "string") return undefined;
  if (uri.length > LONGEST_URI || !uri.startsWith("otpauth://totp/")) return undefined;
  const secret = /[?&]secret=([A-Z2-7]+)(?:&|$)/.exec(uri)?.[1];
  return secret === undefined ? undefined : { secret, uri, ticket };
}

/** Shown once, with the way on: `next` is where it leads. */
export function RecoveryCodes(props: { readonly codes: readonly string[]; readonly next: string }) {
  return (
    <div class="stack">
      <p>
        Keep these recovery codes where you find them without your phone. Each lets you in once in place of a
        code. They are not shown again.
      </p>
      <ul>
        {props.codes.map((code) => (
          <li>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <ButtonLink href={props.next} label="I have kept them" kind="main" />
      </div>
    </div>
  );
}

/** What somebody does to their second factor; each asks for the password anew, and for a code where there is one. */
export type ProofStep = {
  /** Unique on the page: several of its forms have a password. */
  readonly name: string;
  readonly action: string;
  readonly csrf: string;
  readonly button: string;
  readonly kind?: "main" | "danger";
  readonly isCodeAsked: boolean;
};

export function ProofForm({ step }: { readonly step: ProofStep }) {
  const { name, action, csrf, button, kind, isCodeAsked } = step;
  return (
    <PostForm action={action} csrf={csrf} label={button}>
      <TextField
        name="password"
        idPrefix={`${name}-`}
        label="Password"
        type="password"
        autocomplete="current-password"
        isRequired
      />
      {isCodeAsked ? (
        <TextField
          name="code"
          idPrefix={`${name}-`}
          label="Code"
          hint="From your authenticator app, or one of your recovery codes."
          autocomplete="one-time-code"
          isRequired
        />
      ) : null}
      <div class="actions">
        <SubmitButton label={button} {...(kind === undefined ? {} : { kind })} />
      </div>
    </PostForm>
  );
}
