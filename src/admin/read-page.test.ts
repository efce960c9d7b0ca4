import { expect, test } from "bun:test";
import { readPageOrLast } from "./read-page.ts";

const CASES: readonly (readonly [asked: number, total: number, shown: number])[] = [
  [1, 0, 1],
  [7, 0, 7],
  [1, 60, 1],
  [3, 60, 3],
  [4, 60, 3],
  [99_999, 50, 2],
];

for (const [asked, total, shown] of CASES)
  test(`page ${asked} of ${total} rows shows page ${shown}`, async () => {
    const { query, page } = await readPageOrLast({ page: asked, pageSize: 25 }, async (wanted) => ({
      ...wanted,
      total,
      items: Array.from({ length: total }, (_, index) => index).slice(
        (wanted.page - 1) * 25,
        wanted.page * 25,
      ),
    }));
    expect([query.page, page.page]).toEqual([shown, shown]);
    expect(page.items.length > 0).toBe(total > 0);
  });
