import type { Child } from "hono/jsx";

/** What is known of one thing, as name and value. A fact without value is left out. */
export function Facts(props: {
  readonly facts: readonly (readonly [string, Child])[];
  /** In several columns where there is room. */
  readonly isWide?: boolean;
}) {
  const known = props.facts.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return (
    <dl class={props.isWide ? "facts facts-wide" : "facts"}>
      {known.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
