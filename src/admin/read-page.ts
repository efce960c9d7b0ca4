import type { Page, PageRequest } from "../db/queries/page.ts";

/**
 * The page asked for, or the last one where that lies beyond the end: rows go while somebody looks at them,
 * and an empty page would say that there is nothing at all. `query` says which page it became.
 */
export async function readPageOrLast<Query extends PageRequest, Item>(
  query: Query,
  read: (query: Query) => Promise<Page<Item>>,
): Promise<{ readonly query: Query; readonly page: Page<Item> }> {
  const page = await read(query);
  if (page.items.length > 0 || page.total === 0) return { query, page };
  const last = { ...query, page: Math.ceil(page.total / query.pageSize) };
  return { query: last, page: await read(last) };
}
