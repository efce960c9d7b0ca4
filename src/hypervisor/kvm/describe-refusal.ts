/** What a QEMU that did not come up said, as a sentence for a trail. Pure. */

const MOST_LINES = 3;
const MOST_CHARACTERS = 600;

export function describeRefusal(said: string, logFile: string): string {
  if (/failed to execute \S*qemu-system\S*: No such file/.test(said))
    return "this box has no QEMU. Install qemu-system-x86 and qemu-utils, or let the desktop run on a box that has them.";
  const last = said.split("\n").slice(-MOST_LINES).join("; ").slice(0, MOST_CHARACTERS);
  return `QEMU refused: ${last || "it gave no reason"}. All of it is in ${logFile}.`;
}
