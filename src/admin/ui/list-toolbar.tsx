/** Above a list: the search, which htmx sends while one types, and whatever else narrows the list down. */

import type { PropsWithChildren } from "hono/jsx";
import { Icon } from "../../ui/icons.tsx";

export function ListToolbar(
  props: PropsWithChildren<{
    readonly action: string;
    readonly search: string;
    readonly label: string;
    /** Other parameters that a new search keeps. */
    readonly keep?: Readonly<Record<string, string | undefined>>;
    /** The list's fragment: its address and the id of the element that it replaces. */
    readonly fragment: { readonly path: string; readonly id: string };
  }>,
) {
  return (
    <div class="toolbar">
      <search class="search">
        <form method="get" action={props.action}>
          {Object.entries(props.keep ?? {}).map(([name, value]) =>
            value ? <input type="hidden" name={name} value={value} /> : null,
          )}
          <Icon name="search" size={17} />
          <input
            class="input"
            type="search"
            name="search"
            value={props.search}
            placeholder={props.label}
            aria-label={props.label}
            autocomplete="off"
            spellcheck={false}
            hx-get={props.fragment.path}
            hx-trigger="input changed delay:250ms, search"
            hx-target={`#${props.fragment.id}`}
            hx-swap="outerMorph"
            hx-include="closest form"
            hx-sync="this:replace"
          />
        </form>
      </search>
      {props.children}
    </div>
  );
}
