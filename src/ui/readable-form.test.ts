import { expect, test } from "bun:test";
import { Hono } from "hono";
import { isAppError } from "../lib/errors.ts";
import { requireReadableForm } from "./readable-form.ts";

const app = new Hono();
app.onError((error, c) => c.text(isAppError(error) ? error.code : "broke", 400));
app.use(
  "/*",
  requireReadableForm((path) => path === "/file"),
);
app.post("/file", (c) => c.text("taken"));
app.post("/*", async (c) => {
  const { a } = await c.req.parseBody();
  return c.text(JSON.stringify(a ?? null));
});

async function post(path: string, type: string, body: string): Promise<string> {
  const response = await app.request(path, { method: "POST", headers: { "Content-Type": type }, body });
  return await response.text();
}

test.each([
  ["multipart/form-data", "--b\r\n"],
  ["multipart/form-data; oundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n"],
  ["multipart/form-data; boundary=b", "nothing of the kind"],
])("refuses %s that can't be read", async (type, body) => {
  expect(await post("/", type, body)).toBe("bad-input");
});

test("leaves a form that can be read to its page", async () => {
  expect(await post("/", "application/x-www-form-urlencoded", "a=1&%zz=%")).toBe('"1"');
});

test("doesn't touch what is no form, or not to be read", async () => {
  expect(await post("/", "text/plain", "--b")).toBe("null");
  expect(await post("/file", "multipart/form-data", "--b")).toBe("taken");
});
