import { expect, test } from "bun:test";
import text from "./sign-in.js" with { type: "text" };

/** A function of the script, which is none of a module. */
function find(name: string): (...given: unknown[]) => unknown {
  const location = { origin: "https://desk.example" };
  const script = new Function("document", "location", `${text}\nreturn ${name};`);
  const found: unknown = script({ addEventListener: () => undefined }, location);
  if (typeof found !== "function") throw new Error(`the script has no function ${name}`);
  return (...given) => found(...given);
}

/** Where the page goes when its form came to `/sign-in` with this query. */
function placeAfter(query: string): URL {
  const action = `https://desk.example/sign-in${query}`;
  // As `location.assign` takes it.
  return new URL(String(find("placeAfter")({ action })), action);
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

test.each([
  ["a password that is told to come later", "password", 503, "7", 7],
  ["a password that is told nothing of when", "password", 503, null, undefined],
  ["a wrong password", "password", 401, "7", undefined],
  ["a code, which is over by then", "code", 503, "60", undefined],
] as const)("%s: sent again by itself or shown", (_what, field, status, retryAfter, seconds) => {
  const form = { querySelector: (which: string) => (which === `[name=${field}]` ? {} : null) };
  const answer = { status, headers: new Headers(retryAfter === null ? {} : { "Retry-After": retryAfter }) };
  expect(find("secondsToWait")(form, answer)).toBe(seconds);
});
