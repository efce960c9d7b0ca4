/** What a request carries through the gateway's app: its surroundings, and who is signed in. */

import type { Context } from "hono";
import type { UserActor } from "../../domain/access/actor.ts";
import type { DocumentAssets } from "../../ui/document.tsx";

export type SignedInUser = {
  readonly actor: UserActor;
  readonly csrfToken: string;
  readonly token: string;
};

export type GatewayEnv = {
  Bindings: {
    /** The browser's, as the broker saw it. */
    readonly address: string;
  };
  Variables: {
    /** Set on every route behind the session's middleware. */
    signedIn: SignedInUser;
    assets: DocumentAssets;
  };
};

export type GatewayContext = Context<GatewayEnv>;
