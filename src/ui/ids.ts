/** Element ids that htmx and links aim at. */
export const MAIN_ID = "main";
export const LIVE_ID = "live";
/** The event that tells a page that what it shows may have changed. */
export const LIVE_EVENT = "qvd-change";
