import { expect, test } from "bun:test";
import { describeFailure } from "./describe-failure.ts";
import { SCRIPT_INSIDE } from "./plan-build.ts";
import { jailScript } from "./script-jail.ts";

const STEPS = [
  "I: installing remaining packages inside the chroot...",
  "I: running --customize-hook in shell",
];
const ENDS = ["I: main() received signal PIPE: waiting for setup...", "E: mmdebstrap failed to run"];
const FAILED = `E: setup failed: E: command failed: ${jailScript(SCRIPT_INSIDE)}`;

test("a script that failed is named, with its own last words alone", () => {
  const said = [...STEPS, "ip: not found", FAILED, ...ENDS];
  expect(describeFailure(25, said)).toBe(
    "the recipe's script `customize` failed. It said last:\nip: not found",
  );
});

test("a script that failed without a word is said to have", () => {
  expect(describeFailure(25, [...STEPS, FAILED, ...ENDS])).toBe(
    "the recipe's script `customize` failed. It said nothing",
  );
});

test("of anything else all is told that the builder said last", () => {
  const said = [...STEPS, "E: Unable to locate package nonesuch", ...ENDS];
  expect(describeFailure(25, said)).toBe(`mmdebstrap ended with 25. It said last:\n${said.join("\n")}`);
  const spoof = [...STEPS, `a program wrote ${SCRIPT_INSIDE}`, ...ENDS];
  expect(describeFailure(1, spoof)).toStartWith("mmdebstrap ended with 1.");
});
