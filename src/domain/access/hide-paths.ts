/**
 * A fault's text as the person at the desktop gets it: where files lie on the box helps nobody there, and says
 * more of the box than they need. Administrators read the whole of it in the desktop's trail.
 */

/** Two names at least: a lone `/` or `/home` says nothing of the box. */
const HOST_PATH = /(?<=^|[\s"'`(=:])\/[^\s"'`()/]+\/[^\s"'`()]*[^\s"'`().,;:]/g;

/** The first sentence says what went wrong and keeps all but its paths; later ones that name a path are advice. */
export function hidePaths(text: string): string {
  const [first = "", ...more] = text.split(/(?<=[.!?])\s+/);
  const kept = more.filter((sentence) => sentence.search(HOST_PATH) < 0);
  return [first.replaceAll(HOST_PATH, "…"), ...kept].join(" ");
}
