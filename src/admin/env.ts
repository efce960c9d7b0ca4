/** What a request carries through the app: its surroundings, and who is signed in. */

import type { Context } from "hono";
import type { AdministratorSession } from "./session.ts";
import type { Frame, Theme } from "./ui/layout.tsx";

export type AdminEnv = {
  Bindings: {
    /** Address of the other side; missing in tests that call the app directly. */
    readonly address?: string;
    /** Lifts the server's idle limit for this request, for streams that may be silent. */
    readonly holdOpen?: () => void;
  };
  Variables: {
    /** Set by the session middleware on every route behind it. */
    signedIn: AdministratorSession;
    theme: Theme;
    frame: Frame;
  };
};

export type AdminContext = Context<AdminEnv>;
