import type { PasswordVerifier } from "../authenticate.ts";
import type { AuthAsker } from "../create-token.ts";
import type { GatewayAssets } from "./assets.ts";
import type { ScreenDeps } from "./screen-session.ts";
import type { SignedInSockets } from "./signed-in-sockets.ts";
import type { WebStore } from "./web-store.ts";

/** What the gateway's pages and sockets are made with. */
export type GatewayDeps = ScreenDeps & {
  readonly web: WebStore;
  readonly auth: PasswordVerifier & AuthAsker;
  readonly assets: GatewayAssets;
  readonly sockets: SignedInSockets;
};
