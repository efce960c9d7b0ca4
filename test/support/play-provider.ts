/** A real provider of OpenID Connect (oidc-provider) over TLS, and a browser of one person who signs in at it. */

import { createServer } from "node:https";
import Provider, { type Configuration } from "oidc-provider";

export type PlayedProvider = {
  readonly issuer: string;
  /** What the provider says of a person besides their name (`sub`). */
  readonly claims: Map<string, Readonly<Record<string, unknown>>>;
  /** Follows a sign-in from the address of the provider to the one that it sends the browser back to. */
  signIn(url: string, login: string, browser?: Cookies): Promise<URL>;
  stop(): void;
};

/** Of one browser at the provider. */
export type Cookies = Map<string, string>;

export const CLIENT_SECRET = "s3cret-of-the-client-with-some-length";

export async function playProvider(options: {
  readonly key: string;
  readonly certificate: string;
  readonly redirectUris: string[];
  /** The client has no secret. */
  readonly isPublic?: boolean;
}): Promise<PlayedProvider> {
  const claims: PlayedProvider["claims"] = new Map();
  const server = createServer({ key: options.key, cert: options.certificate });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const issuer = `https://localhost:${port}`;
  const provider = new Provider(issuer, configuration(options, claims));
  server.on("request", provider.callback());
  return {
    issuer,
    claims,
    signIn: (url, login, browser = new Map()) =>
      signInAt(issuer, { url, login, browser, ca: options.certificate }),
    stop: () => void server.close(),
  };
}

function configuration(
  { redirectUris, isPublic }: { readonly redirectUris: string[]; readonly isPublic?: boolean },
  claims: PlayedProvider["claims"],
): Configuration {
  return {
    clients: [
      {
        client_id: "qvd",
        ...(isPublic ? {} : { client_secret: CLIENT_SECRET }),
        redirect_uris: redirectUris,
        response_types: ["code"],
        grant_types: ["authorization_code"],
        token_endpoint_auth_method: isPublic ? "none" : "client_secret_post",
      },
    ],
    claims: { openid: ["sub", "auth_time"], profile: ["preferred_username", "name", "groups"] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    cookies: { keys: ["a key of the test"] },
    findAccount: async (_context, sub) => ({
      accountId: sub,
      claims: async () => ({ sub, preferred_username: sub, ...claims.get(sub) }),
    }),
  };
}

type Visit = { readonly url: string; readonly login: string; readonly browser: Cookies; readonly ca: string };

async function signInAt(issuer: string, visit: Visit): Promise<URL> {
  let at = visit.url;
  for (let page = 0; page < 12; page++) {
    const response = await open(visit, at);
    const location = response.headers.get("location");
    if (location !== null) {
      at = new URL(location, at).href;
      if (!at.startsWith(issuer)) return new URL(at);
      continue;
    }
    const html = await response.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(html)?.[1];
    if (action === undefined || prompt === undefined)
      throw new Error(`the provider says: ${html.slice(0, 500)}`);
    const fields = { prompt, login: visit.login, password: "any" };
    const answered = await open(visit, new URL(action, at).href, new URLSearchParams(fields));
    at = new URL(answered.headers.get("location") ?? "", at).href;
  }
  throw new Error("the provider sends the browser in circles");
}

async function open({ browser, ca }: Visit, url: string, form?: URLSearchParams): Promise<Response> {
  const cookie = [...browser].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await fetch(url, {
    redirect: "manual",
    headers: { cookie },
    tls: { ca },
    ...(form === undefined ? {} : { method: "POST", body: form }),
  });
  for (const set of response.headers.getSetCookie()) {
    const [pair = ""] = set.split(";");
    const at = pair.indexOf("=");
    browser.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return response;
}
