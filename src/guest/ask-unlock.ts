/** The asking side of the unlock door: what PAM runs inside a desktop. Knows nothing, decides nothing. */

import { connectLines } from "../lib/line-socket.ts";
import type { UnlockVerdict } from "./unlock-door.ts";

const PATIENCE_MS = 35_000;
const MOST_LINE_BYTES = 4096;

/** `login` is whom PAM wants proved. Never rejects: whatever goes wrong leaves the screen locked. */
export async function askUnlock(
  path: string,
  asked: { readonly login: string; readonly secret: string },
): Promise<UnlockVerdict> {
  const answered = Promise.withResolvers<string>();
  const away = JSON.stringify({
    isUnlocked: false,
    text: "This desktop's agent does not answer. Try again in a minute.",
  });
  try {
    const connection = await connectLines(path, {
      mostLineBytes: MOST_LINE_BYTES,
      onLine: (_, line) => answered.resolve(line),
      onClose: () => answered.resolve(away),
    });
    connection.send(JSON.stringify(asked));
    const line = await Promise.race([answered.promise, Bun.sleep(PATIENCE_MS).then(() => away)]);
    connection.close();
    return parseVerdict(line);
  } catch {
    // Nobody listens, or somebody else owns the door: either way nothing was proved.
    return parseVerdict(away);
  }
}

function parseVerdict(line: string): UnlockVerdict {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) return { isUnlocked: false, text: "" };
  const isUnlocked = "isUnlocked" in value && value.isUnlocked === true;
  return { isUnlocked, text: "text" in value && typeof value.text === "string" ? value.text : "" };
}
