import { expect, test } from "bun:test";
import { parseArpReply, renderArpRequest } from "./arp-frame.ts";

const HOST = { mac: "02:51:0a:4d:00:01", address: "10.77.0.1" };
const DESKTOP = { mac: "02:51:0a:4d:01:33", address: "10.77.1.51" };

test("a question goes to the asked alone and says who asks", () => {
  expect(Buffer.from(renderArpRequest(HOST, DESKTOP)).toString("hex")).toBe(
    "02510a4d013302510a4d00010806" + // Ethernet
      "0001080006040001" +
      "02510a4d00010a4d0001" +
      "0000000000000a4d0133",
  );
});

/** As the desktop would answer. */
function reply(): Uint8Array {
  const frame = renderArpRequest(DESKTOP, HOST);
  frame[21] = 2;
  return frame;
}

test("an answer tells whose it is", () => {
  expect(parseArpReply(reply())).toEqual(DESKTOP);
});

test.each([
  ["a question", renderArpRequest(DESKTOP, HOST)],
  ["a short frame", reply().subarray(0, 41)],
  ["another protocol", reply().with(13, 0)],
  ["another kind of hardware address", reply().with(15, 6)],
  ["nothing", new Uint8Array()],
])("%s is no answer", (_what, frame) => {
  expect(parseArpReply(frame)).toBeUndefined();
});
