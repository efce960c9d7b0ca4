/** Tables. Each cell names its column, because on narrow screens the rows are cards without headings. */

import type { Child, PropsWithChildren } from "hono/jsx";
import { ButtonLink } from "../../ui/button.tsx";
import { Icon } from "../../ui/icons.tsx";

export type Column = {
  readonly title: string;
  /** Headings of ticks and buttons are only read out. */
  readonly isHidden?: boolean;
  readonly isNumber?: boolean;
  readonly isTight?: boolean;
  /** Where the heading leads to sort by this column, and how it is sorted now. */
  readonly sort?: { readonly href: string; readonly now: "up" | "down" | undefined };
};

export function Table(
  props: PropsWithChildren<{
    readonly caption: string;
    readonly columns: readonly Column[];
    /** One of several below each other: label, value, mark, actions, each in line with those above. */
    readonly isAligned?: boolean;
  }>,
) {
  return (
    <table class={props.isAligned ? "table table-aligned" : "table"}>
      <caption class="visually-hidden">{props.caption}</caption>
      <thead>
        <tr>
          {props.columns.map((column) => (
            <th scope="col" class={classOf(column)} aria-sort={sortOf(column)}>
              <Heading column={column} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{props.children}</tbody>
    </table>
  );
}

function Heading(props: { readonly column: Column }) {
  const { title, sort, isHidden } = props.column;
  if (isHidden) return <span class="visually-hidden">{title}</span>;
  if (!sort) return <>{title}</>;
  return (
    <a class="sort" href={sort.href}>
      {title}
      {sort.now ? <Icon name={sort.now === "up" ? "sort-up" : "sort-down"} size={14} /> : null}
    </a>
  );
}

function classOf(column: Column): string | undefined {
  const words = [column.isNumber ? "number" : "", column.isTight ? "tight" : ""].filter(Boolean);
  return words.join(" ") || undefined;
}

function sortOf(column: Column): "ascending" | "descending" | undefined {
  if (!column.sort?.now) return undefined;
  return column.sort.now === "up" ? "ascending" : "descending";
}

/** `isEmpty` cells are a dash in a table and not there in a card. */
export function Cell(props: PropsWithChildren<{ readonly label: string; readonly isEmpty?: boolean }>) {
  return (
    <td class={props.isEmpty ? "empty-cell" : undefined} data-label={props.label}>
      {/* One child, so that the card's grid has label and value. */}
      <div>{props.isEmpty ? "–" : props.children}</div>
    </td>
  );
}

/** The first cell of a row: its name, leading to its page, and a line below. */
export function TitleCell(props: {
  readonly href?: string;
  readonly text: string;
  readonly sub?: Child;
  readonly badge?: Child;
}) {
  return (
    <td>
      <div class="row-head">
        {props.href ? (
          <a class="row-title" href={props.href} title={props.text}>
            {props.text}
          </a>
        ) : (
          <span class="row-title" title={props.text}>
            {props.text}
          </span>
        )}
        {props.badge}
      </div>
      {props.sub ? (
        <span class="row-sub row-line" title={typeof props.sub === "string" ? props.sub : undefined}>
          {props.sub}
        </span>
      ) : null}
    </td>
  );
}

/** What has to be said about the row above at length, such as a fault; it stands below, over all columns. */
export function NoteRow(props: PropsWithChildren<{ readonly columns: number }>) {
  return (
    <tr class="row-note">
      <td colspan={props.columns}>{props.children}</td>
    </tr>
  );
}

export function ActionsCell(props: PropsWithChildren) {
  return (
    <td class="tight">
      <div class="row-actions">{props.children}</div>
    </td>
  );
}

export type Paging = {
  readonly page: number;
  readonly pageSize: number;
  readonly total: number;
  readonly hrefOf: (page: number) => string;
};

/** Which rows these are of how many, and the way to the others. */
export function TableFoot(props: { readonly paging: Paging; readonly noun: string }) {
  const { page, pageSize, total, hrefOf } = props.paging;
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(total, page * pageSize);
  return (
    <div class="table-foot">
      <span>
        {total <= pageSize
          ? `${total} ${props.noun}${total === 1 ? "" : "s"}`
          : `${first}–${last} of ${total}`}
      </span>
      {total > pageSize ? (
        <nav class="actions" aria-label="Pages">
          {page > 1 ? <ButtonLink href={hrefOf(page - 1)} label="Previous" icon="back" isSmall /> : null}
          {last < total ? <ButtonLink href={hrefOf(page + 1)} label="Next" icon="next" isSmall /> : null}
        </nav>
      ) : null}
    </div>
  );
}
