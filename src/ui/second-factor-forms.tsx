/** What somebody can do about their second factor, for the pages of users and of administrators. */

import type { Child } from "hono/jsx";
import { SubmitButton } from "./button.tsx";
import { Card } from "./card.tsx";
import { PostForm } from "./form.tsx";
import { Notice } from "./notice.tsx";
import { ProofForm, RecoveryCodes, type SetUp, SetUpFields } from "./second-factor.tsx";

export type SecondFactorSaid = { readonly tone: "good" | "bad"; readonly text: string };

export type SecondFactorView = {
  /** Where the forms post to: `<base>/begin` and so on. */
  readonly base: string;
  readonly csrf: string;
  readonly canSetUp: boolean;
  /** Undefined when none is set up. */
  readonly recoveryCodesLeft: number | undefined;
  readonly said?: SecondFactorSaid | undefined;
};

/** Only what this person can do. */
export function SecondFactorForms({ view }: { readonly view: SecondFactorView }) {
  const { base, csrf, canSetUp, recoveryCodesLeft, said } = view;
  const step = (name: string) => ({ name, action: `${base}/${name}`, csrf });
  return (
    <>
      {said === undefined ? null : <Notice tone={said.tone}>{said.text}</Notice>}
      {recoveryCodesLeft === undefined ? (
        <Card title="Second factor" note="None is set up.">
          {canSetUp ? (
            <ProofForm
              step={{
                ...step("begin"),
                button: "Set up a second factor",
                kind: "main",
                isCodeAsked: false,
              }}
            />
          ) : (
            <p>How you sign in here has none of ours: whoever keeps your password may ask for one.</p>
          )}
        </Card>
      ) : (
        <>
          <Card
            title="New recovery codes"
            note={`${recoveryCodesLeft} recovery codes are left; new ones take their place.`}
          >
            <ProofForm step={{ ...step("renew"), button: "Make new codes", isCodeAsked: true }} />
          </Card>
          <Card title="Remove the second factor" note="Your password alone counts then.">
            <ProofForm step={{ ...step("remove"), button: "Remove", kind: "danger", isCodeAsked: true }} />
          </Card>
        </>
      )}
    </>
  );
}

/** The first code of a new one. */
export function SetUpForm(props: {
  readonly base: string;
  readonly csrf: string;
  readonly setUp: SetUp;
  readonly text?: string | undefined;
}) {
  return (
    <PostForm action={`${props.base}/confirm`} csrf={props.csrf}>
      <SetUpFields setUp={props.setUp} text={props.text} />
      <div class="actions">
        <SubmitButton label="Set up" kind="main" />
      </div>
    </PostForm>
  );
}

/** What a page shows instead of its forms after one of them was sent. */
export type SecondFactorStep =
  | { readonly kind: "set-up"; readonly setUp: SetUp; readonly text?: string }
  | { readonly kind: "codes"; readonly codes: readonly string[] };

export function SecondFactorStepCard(props: {
  readonly base: string;
  readonly csrf: string;
  readonly step: SecondFactorStep;
}): Child {
  const { base, csrf, step } = props;
  return step.kind === "codes" ? (
    <Card title="Your recovery codes">
      <RecoveryCodes codes={step.codes} next="/" />
    </Card>
  ) : (
    <Card title="Set up a second factor">
      <SetUpForm base={base} csrf={csrf} setUp={step.setUp} text={step.text} />
    </Card>
  );
}
