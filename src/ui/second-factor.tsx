/** What the pages of users and of administrators show of a second factor: asking for a code, setting one up, its recovery codes. */

import { drawQr } from "../domain/second-factor/draw-qr.ts";
import { TextField } from "./field.tsx";

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
export function SetUpFields(props: { readonly setUp: SetUp }) {
  const { secret, uri, ticket } = props.setUp;
  const { size, path } = drawQr(uri);
  return (
    <>
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

export function RecoveryCodes(props: { readonly codes: readonly string[] }) {
  return (
    <>
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
    </>
  );
}
