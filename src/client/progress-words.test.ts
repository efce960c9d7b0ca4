import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../domain/ids.ts";
import { progressTexts, requestTexts, waitingText } from "../domain/session/progress.ts";
import { VM_EVENT_CODES } from "../domain/vm/event.ts";
import { describeProgress } from "./progress-words.ts";

const VM = asId<VmId>(7);

describe("what a broker says while a person waits", () => {
  test("is all in words of their own: no VM and no X", () => {
    const said = [
      ...requestTexts(VM, { hasTakenOver: true, isPlaced: false }),
      ...VM_EVENT_CODES.flatMap((code) => progressTexts(code, VM)),
      waitingText(VM, { isRunning: true, queue: undefined }),
      waitingText(VM, { isRunning: false, queue: undefined }),
      waitingText(VM, { isRunning: false, queue: { position: 3, dueInMs: undefined } }),
      waitingText(VM, { isRunning: false, queue: { position: 3, dueInMs: 200_000 } }),
    ];
    expect(said.length).toBeGreaterThan(8);
    for (const text of said) expect(describeProgress(text).text).not.toMatch(/\bVM|\bX session/);
  });

  test("tells the place in the queue, and again when it is another", () => {
    const at = (position: number, dueInMs: number) =>
      describeProgress(waitingText(VM, { isRunning: false, queue: { position, dueInMs } }));
    expect(at(2, 6_000).text).toBe("number 2 of the desktops that wait for their start, about 6 s");
    expect(at(2, 6_000).news).toBe(at(2, 4_000).news);
    expect(at(2, 6_000).news).not.toBe(at(1, 6_000).news);
  });

  test("is shown as it is where it isn't known", () => {
    expect(describeProgress("Reticulating splines").text).toBe("Reticulating splines");
  });
});
