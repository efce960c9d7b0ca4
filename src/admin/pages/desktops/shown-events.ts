/** How much of a desktop's trail is shown: the newest steps, and more for those who ask in the address. */

const FEWEST_EVENTS = 15;
/** What "Show older" adds. */
export const MORE_EVENTS = 50;
export const MOST_EVENTS = 465;

/** Anything odd in the address gets the fewest. */
export function parseShownEvents(text: string | undefined): number {
  const wanted = Number(text);
  if (!Number.isInteger(wanted)) return FEWEST_EVENTS;
  return Math.min(Math.max(wanted, FEWEST_EVENTS), MOST_EVENTS);
}

/** For `hrefWith`; the fewest need no word in the address. */
export function eventsParam(shownEvents: number): { readonly events: number | undefined } {
  return { events: shownEvents <= FEWEST_EVENTS ? undefined : Math.min(shownEvents, MOST_EVENTS) };
}
