/** Why a desktop is as it is, for its page: the same that `qvd vm explain` says. What was tried stands in the trail beside it. */

import type { Advice, Candidate, Explanation } from "../../../domain/vm/explain-facts.ts";
import { formatSpan } from "../../../domain/vm/format-span.ts";
import { Card } from "../../../ui/card.tsx";
import { Facts } from "../../ui/facts.tsx";
import { formatInstant } from "../../ui/moment.tsx";

export function ExplanationCard(props: {
  readonly explanation: Explanation;
  /** Shown above already. */
  readonly fault: string | null;
  readonly now: Date;
}) {
  const { explanation, fault, now } = props;
  const { wished, truth, difference, advice, candidates } = explanation;
  return (
    <Card title="Explained" isFlush>
      <Facts
        facts={[
          ["Wished", wished],
          ["True", truth],
          ["Why", difference === fault ? null : difference],
          ["Nodes", candidates.length === 0 ? null : <Candidates candidates={candidates} />],
          ["Next", <Next explanation={explanation} now={now} />],
          ["You can", advice.length === 0 ? null : <AdviceList advice={advice} />],
        ]}
      />
    </Card>
  );
}

function Next(props: { readonly explanation: Explanation; readonly now: Date }) {
  const { next, nextAt } = props.explanation;
  if (nextAt === null || nextAt <= props.now) return <>{next}</>;
  return (
    <>
      {next}
      <span class="row-sub">
        <time datetime={nextAt.toISOString()} title={`${formatInstant(nextAt)} UTC`}>
          in about {formatSpan(nextAt.getTime() - props.now.getTime())}
        </time>
      </span>
    </>
  );
}

function Candidates(props: { readonly candidates: readonly Candidate[] }) {
  return (
    <ul class="plain-list">
      {props.candidates.map(({ node, reason }) => (
        <li>
          {node}
          <span class="row-sub">{reason}</span>
        </li>
      ))}
    </ul>
  );
}

function AdviceList(props: { readonly advice: readonly Advice[] }) {
  return (
    <ul class="plain-list">
      {props.advice.map(({ text, command }) => (
        <li>
          {text}
          {command === null ? null : (
            <span class="row-sub">
              <code>{command}</code>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
