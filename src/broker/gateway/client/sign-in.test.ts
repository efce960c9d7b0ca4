import { expect, test } from "bun:test";
import text from "./sign-in.js" with { type: "text" };

/** Where the page goes when its form came to `/sign-in` with this query. */
function placeAfter(query: string): URL {
  const location = { origin: "https://desk.example" };
  const script = new Function("document", "location", `${text}\nreturn placeAfter;`);
  const find: unknown = script({ addEventListener: () => undefined }, location);
  if (typeof find !== "function") throw new Error("the script has no such function");
  // As `location.assign` takes it.
  return new URL(
    String(find({ action: `${location.origin}/sign-in${query}` })),
    `${location.origin}/sign-in`,
  );
}

test.each([
  ["", "/"],
  [`?next=${encodeURIComponent("/desktops/7?by=link")}`, "/desktops/7?by=link"],
])("after a sign-in with %p the page goes to %p", (query, place) => {
  expect(placeAfter(query).href).toBe(`https://desk.example${place}`);
});

test.each([
  "//evil.example/",
  "/\\evil.example/",
  "https://evil.example/",
  "javascript:alert(1)",
  "/.//evil.example/",
  "/a/..//evil.example/",
  "/%2e//evil.example/",
])("no sign-in leads to another site by %p", (next) => {
  expect(placeAfter(`?next=${encodeURIComponent(next)}`).origin).toBe("https://desk.example");
});
