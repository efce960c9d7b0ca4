/** The steps of a sign-in by form, for users and administrators: login and password, a code, a second factor to set up. */

import type { Child } from "hono/jsx";
import { ButtonLink, SubmitButton } from "./button.tsx";
import { Card } from "./card.tsx";
import { TextField } from "./field.tsx";
import { PostForm } from "./form.tsx";
import { Notice } from "./notice.tsx";
import { CodeFields, type SetUp, SetUpFields } from "./second-factor.tsx";

export type SignInStep =
  | { readonly kind: "password"; readonly login?: string; readonly text?: string }
  | {
      readonly kind: "code";
      readonly ticket: string;
      /** As it was typed, to have it again where the code doesn't come. */
      readonly login: string;
      readonly text?: string;
    }
  | { readonly kind: "set-up"; readonly setUp: SetUp; readonly text?: string };

/** The ticket stays good, so that a mistyped code doesn't cost the password once more. */
export const WRONG_CODE =
  "This code is not right, or it is too old. Wait for the next one and type that; if it took longer than ten minutes, begin again.";

export type SignInCardProps = {
  readonly step: SignInStep;
  readonly csrf: string;
  /** Begins with `?`, or is empty. */
  readonly query: string;
  readonly loginHint?: string;
  /** What the tenant's provider is called, where there is one. */
  readonly provider?: string | undefined;
  /** A script of the page tries again by itself where it is told to come later. */
  readonly triesAgain?: true;
};

export function SignInCard({ step, csrf, query, loginHint, provider, triesAgain }: SignInCardProps) {
  const isSetUp = step.kind === "set-up";
  return (
    <Card>
      <PostForm
        action={`${isSetUp ? "/sign-in/set-up" : "/sign-in"}${query}`}
        csrf={csrf}
        {...(triesAgain && !isSetUp && { id: "sign-in" })}
      >
        {triesAgain ? <Waiting /> : null}
        <Fields step={step} loginHint={loginHint} />
        <SubmitButton label={isSetUp ? "Set up and sign in" : "Sign in"} kind="main" isWide />
      </PostForm>
      {step.kind === "password" ? null : (
        <ButtonLink href={`/sign-in${query}`} label="Begin again" kind="quiet" />
      )}
      {provider === undefined || step.kind !== "password" ? null : (
        <ButtonLink href={`/sign-in/oidc/begin${query}`} label={`Sign in with ${provider}`} />
      )}
    </Card>
  );
}

function Waiting() {
  return (
    <div id="sign-in-waiting" hidden>
      <Notice tone="busy">
        Many people sign in at the moment. You need do nothing: this page tries again in <output />.
      </Notice>
    </div>
  );
}

function Fields({
  step,
  loginHint,
}: {
  readonly step: SignInStep;
  readonly loginHint: string | undefined;
}): Child {
  switch (step.kind) {
    case "code":
      return (
        <>
          {step.text === undefined ? null : <Notice tone="bad">{step.text}</Notice>}
          <input type="hidden" name="login" value={step.login} />
          <CodeFields ticket={step.ticket} />
        </>
      );
    case "set-up":
      return <SetUpFields setUp={step.setUp} text={step.text} />;
    case "password":
      return <PasswordFields step={step} loginHint={loginHint} />;
  }
}

function PasswordFields(props: {
  readonly step: Extract<SignInStep, { kind: "password" }>;
  readonly loginHint: string | undefined;
}) {
  const { login, text } = props.step;
  const hint = props.loginHint === undefined ? {} : { hint: props.loginHint };
  return (
    <>
      {text === undefined ? null : <Notice tone="bad">{text}</Notice>}
      {/* Who has typed it already goes on with the password. */}
      <TextField
        name="login"
        label="Login"
        {...hint}
        value={login}
        autocomplete="username"
        isRequired
        isFirst={login === undefined || login === ""}
      />
      <TextField
        name="password"
        label="Password"
        type="password"
        autocomplete="current-password"
        isRequired
        isFirst={login !== undefined && login !== ""}
      />
    </>
  );
}
