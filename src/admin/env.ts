/** What a request carries through the app: its surroundings, and who is signed in. */

import type { Context } from "hono";
import type { AdministratorActor } from "../domain/access/actor.ts";
import type { AssetUrls } from "./ui/assets.ts";
import type { Theme } from "./ui/layout.tsx";

export type SignedIn = {
  readonly actor: AdministratorActor;
  readonly csrfToken: string;
  readonly token: string;
};

export type AdminEnv = {
  Bindings: {
    /** Address of the other side; missing in tests that call the app directly. */
    readonly address?: string;
    /** Lifts the server's idle limit for this request, for streams that may be silent. */
    readonly holdOpen?: () => void;
  };
  Variables: {
    /** Set on every route behind the session and bearer middlewares. */
    signedIn: SignedIn;
    theme: Theme;
    assets: AssetUrls;
  };
};

export type AdminContext = Context<AdminEnv>;
