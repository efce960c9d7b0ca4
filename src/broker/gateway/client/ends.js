/** Why a desktop's screen is over, in words for its person. */

const TRY_AGAIN = "Try again";
const OPEN_AGAIN = "Open again";

/** What somebody meant: it stays so until they press the button. */
const MEANT = {
  superseded: ["Shown elsewhere", "Another client of yours has taken this desktop over.", "Open here"],
  "ended-by-administrator": ["Disconnected", "An administrator has ended this connection.", OPEN_AGAIN],
  "ended-by-owner": ["Disconnected", "The connection was ended at your wish.", OPEN_AGAIN],
  "signed-out": ["Signed out", "Your session in this desktop is over.", OPEN_AGAIN],
  "desktop-stopped": ["Shut down", "This desktop was shut down.", OPEN_AGAIN],
  blocked: ["Blocked", "An administrator has blocked this desktop.", TRY_AGAIN],
};

const BREAKS = {
  "desktop-closed": "The desktop has closed its screen.",
  "node-drained": "The desktop goes on at another box.",
};
const LOST = "The connection was lost; the desktop goes on.";

/** Without `again`, the button's word, the page comes back by itself. */
export function describeEnd({ type, cause, text }) {
  if (type === "refused") return { title: "Not possible now", text, again: TRY_AGAIN };
  if (!Object.hasOwn(MEANT, cause))
    return { title: "Connecting again", text: Object.hasOwn(BREAKS, cause) ? BREAKS[cause] : LOST };
  const [title, words, again] = MEANT[cause];
  return { title, text: words, again };
}
