/**
 * Presses and lifts Shift as a viewer of Xvnc would. Xvnc puts letters that the layout lacks on spare keys of the keyboard that
 * programs see, and that one becomes the viewers' own, without those keys, at the first key after another keyboard was used
 * (of a program, or of an NX client): so the first such letter would be another one. After this, viewers' is the last used.
 */

import { waitFor } from "../../lib/wait.ts";
import { CLIENT_MESSAGE, GREETING } from "../../wire/display/client-message.ts";
import { ViewerProof } from "../../wire/display/viewer-proof.ts";

const SHIFT = 0xffe1;
const ANSWER_MS = 2_000;
const VERSION_BYTES = 12;
/** Kinds of security with their count, its result, and the beginning of what says that the viewer is in. */
const WELCOME_BYTES = VERSION_BYTES + 2 + 4 + 4;

/** Others may look as well, or they would be sent away. */
const SHARED = Buffer.from([1]);

/** `key` is what viewers have to know, where Xvnc asks. False when it let nobody in, or said nothing for two seconds. */
export async function tapShift(socketPath: string, key?: string): Promise<boolean> {
  let received = 0;
  let isClosed = false;
  let proof = key === undefined ? undefined : new ViewerProof(key);
  const socket = await Bun.connect({
    unix: socketPath,
    socket: {
      data(opened, chunk) {
        const step = proof?.take(chunk);
        if (step === undefined) received += chunk.length;
        else if (step.kind === "answer") opened.write(step.bytes);
        else if (step.kind === "refused") opened.terminate();
        else if (step.kind === "in") {
          proof = undefined;
          // As much as comes before where nothing is asked.
          received = WELCOME_BYTES;
          opened.write(SHARED);
        }
      },
      close() {
        isClosed = true;
      },
      error: () => {},
    },
  });
  try {
    socket.write(key === undefined ? Buffer.concat([GREETING, SHARED]) : ViewerProof.hello);
    const isIn = () => isClosed || received > WELCOME_BYTES;
    await waitFor(isIn, { timeoutMs: ANSWER_MS, everyMs: 2 });
    if (isClosed || received <= WELCOME_BYTES) return false;
    socket.write(Buffer.concat([keyMessage(SHIFT, true), keyMessage(SHIFT, false)]));
    return true;
  } finally {
    socket.end();
  }
}

function keyMessage(keysym: number, isDown: boolean): Buffer {
  const message = Buffer.alloc(8);
  message.writeUInt8(CLIENT_MESSAGE.key, 0);
  message.writeUInt8(isDown ? 1 : 0, 1);
  message.writeUInt32BE(keysym, 4);
  return message;
}
