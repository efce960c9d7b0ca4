import { formatJson } from "../../wire/client/json.ts";
import { NOT_REGISTERED } from "../check-node.ts";
import { type Endpoint, reply } from "../request.ts";

/**
 * Whether somebody is who they say; asked by portals. `store_auth` had the original keep what the authenticator
 * gave, for tokens that the portal then wrote into the database by itself; there are no such tokens here, and
 * the number that they would name is 0.
 */
export const authenticateUser: Endpoint = async ({ store }, request) => {
  if ((await store.readNode()) === undefined) return reply(NOT_REGISTERED);
  const identity = await request.authenticate();
  if ("status" in identity) return reply(identity);
  const isKept = !["", "0"].includes(request.head.query.get("store_auth") ?? "");
  const body = formatJson(isKept ? { auth_params_id: 0 } : {});
  return reply({ status: 200, type: "application/json", body });
};
