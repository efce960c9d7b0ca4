/** What every list of the API takes and answers: `page`, `pageSize`, `search`; `items`, `total`, `page`. */

import type { Page, PageRequest } from "../../db/queries/page.ts";
import type { AdminContext } from "../env.ts";
import { parseListQuery } from "../list-query.ts";

export type ApiListQuery = PageRequest & { readonly search: string };

export function readListQuery(c: AdminContext): ApiListQuery {
  const { page, pageSize, search } = parseListQuery(new URL(c.req.url).searchParams, ["id"]);
  return { page, pageSize, search };
}

export function answerPage<Row, Shape>(
  c: AdminContext,
  page: Page<Row>,
  shape: (row: Row) => Shape,
): Response {
  return c.json({ items: page.items.map(shape), total: page.total, page: page.page });
}

/** For what is read whole: a page cut out of it. */
export function pageOfAll<Row>(rows: readonly Row[], query: PageRequest): Page<Row> {
  const first = (query.page - 1) * query.pageSize;
  return { items: rows.slice(first, first + query.pageSize), total: rows.length, ...query };
}

/** Query `trial=yes`: only look whether it would be refused. */
export function isTrial(c: AdminContext): boolean {
  return c.req.query("trial") === "yes";
}
