/** The card of a user's page about what proves them besides their password: second factor and tokens. */

import type { SecondFactorFacts } from "../../../db/queries/second-factors.ts";
import type { TokenRow } from "../../../db/queries/user-tokens.ts";
import type { UserRow } from "../../../db/queries/users.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Moment } from "../../ui/moment.tsx";
import { ActionsCell, Cell, Table } from "../../ui/table.tsx";

export type ProofsView = {
  readonly user: UserRow;
  readonly secondFactor: SecondFactorFacts | undefined;
  /** Those that still open something. */
  readonly tokens: readonly TokenRow[];
  readonly csrf: string;
  readonly now: Date;
};

export function ProofsCard({ view }: { readonly view: ProofsView }) {
  const { user, secondFactor, now } = view;
  return (
    <Card
      title="Sign-in"
      isFlush
      aside={
        secondFactor === undefined ? (
          <ButtonLink href={`/users/${user.id}/second-factor`} label="Set second factor" icon="key" isSmall />
        ) : (
          <ButtonLink
            href={`/users/${user.id}/second-factor/reset`}
            label="Reset second factor"
            icon="key"
            isSmall
          />
        )
      }
    >
      <Facts
        facts={[
          ["Second factor", secondFactor === undefined ? "None set up" : "Set up"],
          ["Since", secondFactor === undefined ? undefined : <Moment at={secondFactor.since} now={now} />],
          [
            "Recovery codes left",
            secondFactor === undefined ? undefined : String(secondFactor.recoveryCodesLeft),
          ],
          ["Tokens", view.tokens.length === 0 ? "None" : String(view.tokens.length)],
        ]}
      />
      {view.tokens.length === 0 ? null : <Tokens view={view} />}
    </Card>
  );
}

function Tokens({ view }: { readonly view: ProofsView }) {
  const { user, tokens, csrf, now } = view;
  const columns = [
    { title: "Token" },
    { title: "Ends" },
    { title: "Actions", isHidden: true, isTight: true },
  ];
  return (
    <Table caption={`Tokens of ${user.login}`} columns={columns}>
      {tokens.map((token) => (
        <tr>
          <Cell label="Token">
            {token.vm ?? "All desktops"}
            <span class="row-sub">{`from ${token.origin}, ${token.isMultiUse ? "many uses" : "one use"}`}</span>
          </Cell>
          <Cell label="Ends">
            <Moment at={token.expiresAt} now={now} />
          </Cell>
          <ActionsCell>
            <PostButton
              csrf={csrf}
              back={`/users/${user.id}`}
              action={`/users/${user.id}/tokens/${token.id}/revoke`}
              label="Revoke"
              about={token.vm ?? "the token of all desktops"}
              isSmall
            />
          </ActionsCell>
        </tr>
      ))}
    </Table>
  );
}
