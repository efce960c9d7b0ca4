/** What a list was asked for in its address: words to search for, order, page. Anything odd gets its default. */

export type Direction = "up" | "down";

export type ListQuery<Sort extends string> = {
  readonly search: string;
  readonly sort: Sort;
  readonly direction: Direction;
  readonly page: number;
  readonly pageSize: number;
};

export const PAGE_SIZE = 25;
const MOST_PAGE_SIZE = 200;
const MOST_PAGE = 100_000;

export function parseListQuery<Sort extends string>(
  params: URLSearchParams,
  sorts: readonly [Sort, ...Sort[]],
): ListQuery<Sort> {
  const wanted = params.get("sort") ?? "";
  const isDown = wanted.startsWith("-");
  const sort = sorts.find((each) => each === wanted.replace(/^-/, "")) ?? sorts[0];
  return {
    search: parseSearch(params.get("search") ?? ""),
    sort,
    direction: isDown && wanted.slice(1) === sort ? "down" : "up",
    page: wholeNumber(params.get("page"), 1, MOST_PAGE),
    pageSize: wholeNumber(params.get("pageSize"), PAGE_SIZE, MOST_PAGE_SIZE),
  };
}

/** PostgreSQL knows no NUL in text, and nothing has a control character in its name. */
function parseSearch(text: string): string {
  return [...text]
    .filter((letter) => letter >= " ")
    .join("")
    .trim()
    .slice(0, 100);
}

function wholeNumber(text: string | null, fallback: number, most: number): number {
  const value = Number(text);
  return text !== null && Number.isInteger(value) && value >= 1 ? Math.min(value, most) : fallback;
}

/** `path` with the parameters given; empty ones and page 1 are left out, so that addresses stay short. */
export function hrefWith(
  path: string,
  params: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "" || (name === "page" && value === 1)) continue;
    query.set(name, String(value));
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The order as the address has it. */
export function sortParam(sort: string, direction: Direction): string {
  return direction === "down" ? `-${sort}` : sort;
}
