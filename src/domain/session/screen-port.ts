/**
 * The port of a desktop at which the X server of a session that a browser began takes viewers who prove to know the session's key
 * (`wire/display/viewer-proof.ts`). Only the desktop's own box comes there: the packet filter keeps neighbours away.
 */
export const SCREEN_PORT = 5102;
