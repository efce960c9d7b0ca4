/** GET /settings/slowed and POST /settings/slowed/forget: whose next try to sign in waits, and why. */

import type { Handler } from "hono";
import { isAppError } from "../../../lib/errors.ts";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Pill } from "../../../ui/pill.tsx";
import type { SlowedShape } from "../../../wire/auth/administration.ts";
import { askSlowed, forgetSlowed, nameSlowed } from "../../auth-administration.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize, readForm } from "../../form.ts";
import { redirectTo } from "../../redirect.ts";
import { renderPage } from "../../render.tsx";
import { readScope } from "../../setting-scope.ts";
import { PageHead } from "../../ui/page-head.tsx";
import { ActionsCell, Cell, Table, TitleCell } from "../../ui/table.tsx";
import { PartNav } from "./nav.tsx";

export function showSlowed(deps: AdminDeps): Handler<AdminEnv> {
  return async function showPage(c) {
    const scope = await readScope(deps, c, undefined);
    const csrf = c.get("signedIn").csrfToken;
    return renderPage(
      c,
      { title: "Slowed down", section: "settings" },
      <>
        <PageHead
          title="Slowed down"
          lead="Whose next try to sign in waits, after too many failures. Who signed in from the same address in the last day gets in at once all the same. Counted for the whole site."
        />
        <div class="stack">
          <PartNav scope={scope} current="slowed" />
          <Card isFlush>{await renderList(deps, c, csrf)}</Card>
        </div>
      </>,
    );
  };
}

export function forgetSlowedPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeForget(c) {
    const { id = "" } = await readForm(c);
    const name = await forgetSlowed(deps, c, id);
    const text = `Forgotten: the next try of ${name} is looked at at once.`;
    return redirectTo(c, "/settings/slowed", { tone: "good", text });
  };
}

async function renderList(deps: AdminDeps, c: AdminContext, csrf: string) {
  try {
    const { slowed, total } = await askSlowed(deps, c);
    if (slowed.length === 0)
      return (
        <Empty
          icon="check"
          title="Nobody"
          text="No account and no address has failed often enough to be slowed down."
        />
      );
    return <SlowedTable slowed={slowed} total={total} csrf={csrf} />;
  } catch (error) {
    if (!isAppError(error) || error.code !== "unavailable") throw error;
    return <Notice tone="bad">{capitalize(error.message)}</Notice>;
  }
}

const LANES = {
  pair: "from this address",
  account: "from all addresses together",
  address: "of all accounts together",
  code: "wrong codes of a second factor",
} as const satisfies Record<SlowedShape["lane"], string>;

function SlowedTable(props: {
  readonly slowed: readonly SlowedShape[];
  readonly total: number;
  readonly csrf: string;
}) {
  const { slowed, total, csrf } = props;
  return (
    <>
      <Table
        caption="Sign-ins that are slowed down"
        columns={[
          { title: "Who" },
          { title: "From" },
          { title: "Failures" },
          { title: "Next try" },
          { title: "Actions", isHidden: true, isTight: true },
        ]}
      >
        {slowed.map((one) => (
          <tr>
            <TitleCell text={one.login === undefined ? "Anybody" : nameSlowed(one)} sub={subOf(one)} />
            <Cell label="From">{one.origin ?? "anywhere"}</Cell>
            <Cell label="Failures">{one.failures}</Cell>
            <Cell label="Next try">
              <Pill tone={one.waitMs > 0 ? "warn" : "idle"} text={whenOf(one)} />
            </Cell>
            <ActionsCell>
              <PostButton
                action="/settings/slowed/forget"
                csrf={csrf}
                fields={{ id: one.id }}
                label="Forget"
                about={nameSlowed(one)}
                icon="check"
                isSmall
              />
            </ActionsCell>
          </tr>
        ))}
      </Table>
      {total > slowed.length ? <p class="table-foot">{`And ${total - slowed.length} more.`}</p> : null}
    </>
  );
}

function subOf({ lane, kind }: SlowedShape): string {
  return kind === "administrator" ? `as an administrator, ${LANES[lane]}` : LANES[lane];
}

function whenOf({ waitMs }: SlowedShape): string {
  return waitMs > 0 ? `in ${Math.ceil(waitMs / 1000)} s` : "at once";
}
