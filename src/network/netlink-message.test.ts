import { expect, test } from "bun:test";
import {
  parseAnswers,
  parseAttributes,
  renderAttribute,
  renderNested,
  renderRequest,
  renderText,
} from "./netlink-message.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("a request is its header, its fixed part and its attributes, each a whole number of words", () => {
  const attributes = [renderAttribute(1, renderText("qvd"))];
  const bytes = renderRequest(
    { type: 0x0a0c, flags: 0x405, fixed: new Uint8Array([7, 0, 0, 0]), attributes },
    9,
  );
  expect(hex(bytes)).toBe("1c0000000c0a05040900000000000000" + "07000000" + "0800010071766400");
});

test("what is written is read, however long its parts are", () => {
  for (let size = 0; size < 9; size++) {
    const value = new Uint8Array(size).fill(size + 1);
    const nested = renderNested(5, [renderAttribute(3, value), renderAttribute(4, value)]);
    const request = { type: 20, flags: 1, fixed: new Uint8Array(4), attributes: [nested] };
    const twice = Buffer.concat([renderRequest(request, 1), renderRequest(request, 2)]);
    const answers = parseAnswers(twice);
    expect(answers.map(({ type, sequence }) => [type, sequence])).toEqual([
      [20, 1],
      [20, 2],
    ]);
    const [outer] = parseAttributes(answers[1]?.body.subarray(4) ?? new Uint8Array());
    expect(outer?.type).toBe(5);
    const inner = parseAttributes(outer?.value ?? new Uint8Array());
    expect(inner.map(({ type, value: one }) => [type, hex(one)])).toEqual([
      [3, hex(value)],
      [4, hex(value)],
    ]);
  }
});

test("what is cut short anywhere is read as far as it is whole", () => {
  const request = {
    type: 20,
    flags: 1,
    fixed: new Uint8Array(4),
    attributes: [renderAttribute(1, renderText("abc"))],
  };
  const whole = renderRequest(request, 1);
  for (let size = 0; size < whole.length; size++) expect(parseAnswers(whole.subarray(0, size))).toEqual([]);
  expect(parseAnswers(new Uint8Array(64))).toEqual([]);
  expect(parseAttributes(new Uint8Array(64))).toEqual([]);
  expect(parseAttributes(new Uint8Array([255, 255, 1, 0]))).toEqual([]);
});
