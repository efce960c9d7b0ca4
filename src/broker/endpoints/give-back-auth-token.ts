import { parseCredentials } from "../../wire/client/credentials.ts";
import { formatJson } from "../../wire/client/json.ts";
import { type Endpoint, reply } from "../request.ts";

/**
 * Not of QVD 4: a client that leaves gives back the token by which it would have come again, and shows it to say which. Whoever
 * has a token may end it, and nothing else can be ended here.
 */
export const giveBackAuthToken: Endpoint = async ({ tokens }, request) => {
  const identity = await request.authenticate();
  if ("status" in identity) return reply(identity);
  const credentials = parseCredentials(request.head.headers.get("authorization"));
  if (credentials?.kind !== "token") return reply({ status: 422, body: "No token was shown" });
  const refused = await tokens.giveBack(
    { token: credentials.token, origin: request.clientAddress },
    request.signal,
  );
  return reply(refused ?? { status: 200, type: "application/json", body: formatJson({}) });
};
