/** What of a desktop outlives its stop, by its OSF. Everything else is fresh from the image at each start. */

export const PERSISTENCES = ["nothing", "home", "folders", "everything"] as const;

export type Persistence = (typeof PERSISTENCES)[number];
