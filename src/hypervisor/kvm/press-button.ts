/**
 * A machine's power button, pressed as a person does: again, for as long as nothing happens. A guest hears it only once
 * whoever listens is up, which in an emulated one is long after its agent; a press before that is lost, and QEMU doesn't
 * say so. A guest on its way down takes no notice of a second one.
 */

import { sleep } from "../../lib/wait.ts";

export type PowerButton = {
  /** One press. Rejects when nobody could be told of it. */
  readonly press: () => Promise<unknown>;
  /** Whether it is still that life of the machine; a later one is nobody's to press. */
  readonly isUp: () => Promise<boolean>;
};

export type ButtonPace = { readonly everyMs: number; readonly forMs: number };

/** Resolves after the first press, and rejects as that does; the others follow by themselves, until what is returned resolves; that never rejects. */
export async function pressButton(button: PowerButton, pace: ButtonPace): Promise<{ ended: Promise<void> }> {
  await button.press();
  return { ended: pressAgain(button, pace) };
}

async function pressAgain({ press, isUp }: PowerButton, { everyMs, forMs }: ButtonPace): Promise<void> {
  for (let passedMs = everyMs; passedMs <= forMs; passedMs += everyMs) {
    await sleep(everyMs);
    try {
      if (!(await isUp())) return;
      await press();
    } catch {
      // It may end between question and answer, or another visitor is there: the next press is the answer. Whatever it
      // was, nobody waits here to be told, and it must not end the process.
    }
  }
}
