/** The last sessions of a desktop or a user, on its page. */

import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { type SessionRowsView, SessionTable } from "./rows.tsx";

/** How many are shown there. */
export const LAST_SESSIONS = 5;

export function HistoryCard(props: {
  readonly view: SessionRowsView;
  readonly whose: string;
  /** The list of all of them. */
  readonly href: string;
}) {
  const { view, whose, href } = props;
  if (view.rows.length === 0) return null;
  return (
    <Card
      title="Last sessions"
      isFlush
      aside={<ButtonLink href={href} label="All sessions" icon="session" isSmall />}
    >
      <SessionTable caption={`Sessions of ${whose}`} view={view} />
    </Card>
  );
}
