/** One of the ways to a desktop in a browser that are compared. */

import type { Page } from "playwright-core";

export type Size = { readonly width: number; readonly height: number };

export type BrowserServer = {
  readonly name: string;
  /** The X server's socket, for the scene. */
  readonly socket: string;
  /** Where browsers come: a port on loopback of the server's network, or a socket's path. */
  readonly port: number | string;
  /** What puts a program into that network; empty for the machine's own. */
  readonly beside: readonly string[];
  /** Everything that serves, the desktop's own programs included, and none that draws or looks. */
  listPids(): readonly number[];
  /** Brings the page, by the line's port, to where the desktop is shown and takes keys. */
  open(page: Page, port: number): Promise<void>;
  close(): Promise<void>;
};
