import { expect, test } from "bun:test";
import { parseClientAnswer } from "./parse-client-answer.ts";

const parse = (text: string) => parseClientAnswer(Buffer.from(text));

test("an answer is there when its whole body is", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json-simplerpc\r\nContent-Length: 6\r\n\r\n";
  expect(parse(`${head}"Bür`)).toBeUndefined();
  expect(parse(`${head}"Bür"`)).toEqual({ status: 200, body: '"Bür"' });
  expect(parse(`${head}"Bür"more`)).toEqual({ status: 200, body: '"Bür"' });
});

test("heads of progress come before it, and line ends may be bare", () => {
  const progress = "HTTP/1.1 102 Processing\r\nX-QVD-Info: printing\r\n\r\n";
  expect(parse(progress)).toBeUndefined();
  expect(parse(`${progress}${progress}HTTP/1.0 404 Not Found\n\n`)).toEqual({ status: 404, body: "" });
});

test("what is no answer has no status", () => {
  expect(parse("hello\n\n")).toEqual({ status: 0, body: "" });
});
