/**
 * A box's text as people at desktops and administrators of one tenant get it: where files lie on the box helps nobody there,
 * and says more of the box than they need. The site's administrators read the whole of it.
 */

/** Two names at least: a lone `/` or `/home` says nothing of the box. */
const HOST_PATH = /(?<=^|[\s"'`(=:])\/[^\s"'`()/]+\/[^\s"'`()]*[^\s"'`().,;:]/g;

/** The first sentence says what went wrong and keeps all but its paths; later ones that name a path are advice. */
export function hidePaths(text: string): string {
  const [first = "", ...more] = text.split(/(?<=[.!?])\s+/);
  const kept = more.filter((sentence) => sentence.search(HOST_PATH) < 0);
  return [first.replaceAll(HOST_PATH, "…"), ...kept].join(" ");
}

/** What is wrong with the file itself is told with the paths in it: they are its maker's. */
const IMAGE_ITSELF = /^The image \S+ can't be used: /;

export function hideImagePaths(fault: string): string {
  return IMAGE_ITSELF.test(fault) ? fault : hidePaths(fault);
}
