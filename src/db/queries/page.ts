/** Lists that may be long are read a page at a time. */

import { type SQL, sql } from "drizzle-orm";

export type PageRequest = {
  /** From 1. */
  readonly page: number;
  readonly pageSize: number;
};

export type Page<Item> = PageRequest & {
  readonly items: readonly Item[];
  /** On all pages together. */
  readonly total: number;
};

const MOST_ROWS = 500;

/** Bounds for SQL: a page of nonsense becomes the first, one of too many rows is cut. */
export function pageBounds(request: PageRequest): { readonly limit: number; readonly offset: number } {
  const limit = Math.min(Math.max(1, Math.trunc(request.pageSize) || 1), MOST_ROWS);
  const page = Math.min(Math.max(1, Math.trunc(request.page) || 1), 1_000_000);
  return { limit, offset: (page - 1) * limit };
}

export function pageOf<Item>(request: PageRequest, items: readonly Item[], total: number): Page<Item> {
  const { limit, offset } = pageBounds(request);
  return { items, total, page: offset / limit + 1, pageSize: limit };
}

/** True where `column` contains the text as typed: `%` and `_` are letters like any other. */
export function contains(column: SQL | { getSQL(): SQL }, text: string): SQL {
  const pattern = `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  return sql`${column} ilike ${pattern}`;
}
