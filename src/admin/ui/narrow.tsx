import type { PropsWithChildren } from "hono/jsx";

/** What one reads or fills in line by line, as wide as lines should be. */
export function Narrow(props: PropsWithChildren) {
  return <div class="narrow">{props.children}</div>;
}
