import { expect, test } from "bun:test";
import { Prose } from "./prose.tsx";

test("what stands in backticks is code, and a single backtick is itself", () => {
  expect(String(<Prose text="Run `qvd box stop` there, or <b>`wait`</b>." />)).toBe(
    "Run <code>qvd box stop</code> there, or &lt;b&gt;<code>wait</code>&lt;/b&gt;.",
  );
  expect(String(<Prose text="It's a ` alone." />)).toContain("` alone.");
});
