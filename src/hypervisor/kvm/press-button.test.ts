import { describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors.ts";
import { type PowerButton, pressButton } from "./press-button.ts";

const PACE = { everyMs: 1, forMs: 20 };

/** A machine that goes down at the press of this number, and counts what is pressed. */
class Machine implements PowerButton {
  presses = 0;
  readonly #hearsAt: number;
  readonly #refusal: { readonly at: number; readonly error: Error } | undefined;

  constructor(hearsAt: number, refusal?: { readonly at: number; readonly error: Error }) {
    this.#hearsAt = hearsAt;
    this.#refusal = refusal;
  }

  press = async () => {
    this.presses += 1;
    if (this.presses === this.#refusal?.at) throw this.#refusal.error;
  };
  isUp = async () => this.presses < this.#hearsAt;
}

const gone = new AppError("unavailable", "Asking the QEMU: it hung up");

describe("the power button", () => {
  test.each([
    ["once when the guest hears it", new Machine(1), 1],
    ["again for as long as nothing happens", new Machine(7), 7],
    ["no longer than it was given", new Machine(1_000), 21],
    ["again when a later press got no answer", new Machine(5, { at: 3, error: gone }), 5],
    [
      "again when a later press failed as nobody had thought",
      new Machine(5, { at: 3, error: new TypeError("no") }),
      5,
    ],
  ])("is pressed %s", async (_name, machine, presses) => {
    const { ended } = await pressButton(machine, PACE);
    await ended;
    expect(machine.presses).toBe(presses);
  });

  test("is told of as pressed after the first press", async () => {
    const machine = new Machine(3);
    const { ended } = await pressButton(machine, PACE);
    expect(machine.presses).toBe(1);
    await ended;
  });

  test("is not pressed again when nobody could be told of the first press", async () => {
    const machine = new Machine(9, { at: 1, error: gone });
    await expect(pressButton(machine, PACE)).rejects.toBe(gone);
    await Bun.sleep(5);
    expect(machine.presses).toBe(1);
  });
});
