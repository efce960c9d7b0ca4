/**
 * The pages of somebody's own second factor, the same for users and administrators: a form is read, sent to auth on behalf
 * of whoever is signed in, and answered by the next step. Each needs the password once more: an open browser is not enough.
 */

import type { Context, Env, Handler } from "hono";
import type { Child } from "hono/jsx";
import {
  confirmSecondFactor,
  proveForSecondFactor,
  type SecondFactorAsker,
  type SecondFactorKind,
  type SecondFactorNext,
} from "./second-factor-flow.ts";
import {
  SecondFactorForms,
  type SecondFactorSaid,
  SecondFactorStepCard,
  type SecondFactorView,
} from "./second-factor-forms.tsx";

/** What differs from one site of pages to the other. */
export type SecondFactorSite<E extends Env> = {
  /** Where the forms post to: `<base>/begin` and so on. */
  readonly base: string;
  readonly csrfOf: (c: Context<E>) => string;
  readonly askerOf: (c: Context<E>) => SecondFactorAsker;
  readonly describe: (
    c: Context<E>,
  ) => Promise<Pick<SecondFactorView, "canSetUp"> & Partial<Pick<SecondFactorView, "recoveryCodesLeft">>>;
  readonly readForm: (c: Context<E>) => Promise<Readonly<Record<string, unknown>>>;
  /** The page around it; 422 where what was typed was not right. */
  readonly render: (c: Context<E>, content: Child, status: 200 | 422) => Response | Promise<Response>;
};

export type SecondFactorPages<E extends Env> = {
  readonly show: Handler<E>;
  readonly begin: Handler<E>;
  readonly confirm: Handler<E>;
  readonly renew: Handler<E>;
  readonly remove: Handler<E>;
};

export function secondFactorPages<E extends Env>(site: SecondFactorSite<E>): SecondFactorPages<E> {
  const { base } = site;
  async function renderForms(c: Context<E>, said?: SecondFactorSaid) {
    const { canSetUp, recoveryCodesLeft } = await site.describe(c);
    const view = { base, csrf: site.csrfOf(c), canSetUp, recoveryCodesLeft, said };
    return site.render(c, <SecondFactorForms view={view} />, said?.tone === "bad" ? 422 : 200);
  }
  function renderNext(c: Context<E>, next: SecondFactorNext) {
    if (next.kind === "said") return renderForms(c, next.said);
    const isWrong = next.kind === "set-up" && next.text !== undefined;
    const card = <SecondFactorStepCard base={base} csrf={site.csrfOf(c)} step={next} />;
    return site.render(c, card, isWrong ? 422 : 200);
  }
  /** The forms that need nothing but a proof. */
  const prove =
    (kind: SecondFactorKind): Handler<E> =>
    async (c) =>
      renderNext(c, await proveForSecondFactor(site.askerOf(c), kind, await site.readForm(c)));
  return {
    show: (c) => renderForms(c),
    begin: prove("begin-enrolment"),
    confirm: async (c) => renderNext(c, await confirmSecondFactor(site.askerOf(c), await site.readForm(c))),
    renew: prove("renew-recovery-codes"),
    remove: prove("remove-second-factor"),
  };
}
