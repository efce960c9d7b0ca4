/**
 * The providers of a site's tenants, discovered when first needed and again each ten minutes. What the protocol demands
 * is openid-client's to do (decision 0101); ours are the authority, the deadline, and that answers are bounded.
 */

import * as oidc from "openid-client";
import type { SettingValues } from "../../domain/setting/registry.ts";
import { secretUse } from "../../domain/setting/secret-use.ts";
import { AppError } from "../../lib/errors.ts";
import { openSecret } from "../../wire/setting/sealed-secret.ts";

export type ProviderDeps = {
  /** Opens the client's secret. */
  readonly secretKey: Uint8Array | undefined;
  /** Trusted where a tenant names no authority; Bun's own when left out. */
  readonly systemAuthorities?: string | readonly string[] | undefined;
  readonly monotonicMs: () => number;
};

const FRESH_MS = 10 * 60_000;
const FAILED_MS = 10_000;
const TIMEOUT_SECONDS = 10;
const MOST_ANSWER_BYTES = 1024 * 1024;
/** Tenants with a provider of their own whose discovery is kept. */
const MOST_KEPT = 500;

type Kept = { readonly config: Promise<oidc.Configuration>; readonly sinceMs: number };

export class Providers {
  readonly #deps: ProviderDeps;
  readonly #kept = new Map<string, Kept>();

  constructor(deps: ProviderDeps) {
    this.#deps = deps;
  }

  /** Throws an AppError when there is no provider, or it does not answer. */
  async find(settings: SettingValues): Promise<oidc.Configuration> {
    const issuer = settings["auth.oidc.issuer"];
    if (issuer === "") {
      throw new AppError("not-found", "OpenID Connect is not set up: auth.oidc.issuer names no provider");
    }
    const secret = this.#readSecret(settings);
    const key = JSON.stringify([issuer, settings["auth.oidc.client_id"], settings["auth.oidc.ca"], secret]);
    const nowMs = this.#deps.monotonicMs();
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs - kept.sinceMs < FRESH_MS) return await kept.config;
    const config = discover(settings, secret, this.#deps.systemAuthorities).catch((cause: unknown) => {
      // Whoever opens the sign-in page meanwhile doesn't make us ask a provider again that just didn't answer.
      this.#keep(key, { config, sinceMs: nowMs - FRESH_MS + FAILED_MS });
      throw new AppError(
        "unavailable",
        `the provider ${issuer} (auth.oidc.issuer) can't be asked: is the address right, and its certificate signed by auth.oidc.ca?`,
        { cause },
      );
    });
    this.#keep(key, { config, sinceMs: nowMs });
    return await config;
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  #readSecret(settings: SettingValues): string | undefined {
    const sealed = settings["auth.oidc.client_secret"];
    if (sealed === undefined) return undefined;
    const { secretKey } = this.#deps;
    if (secretKey === undefined) {
      throw new AppError(
        "not-found",
        "auth.oidc.client_secret can't be opened: this box has no settings.key in its secrets folder",
      );
    }
    return openSecret(secretKey, secretUse("auth.oidc.client_secret", settings), sealed);
  }
}

async function discover(
  settings: SettingValues,
  secret: string | undefined,
  systemAuthorities: ProviderDeps["systemAuthorities"],
): Promise<oidc.Configuration> {
  const own = settings["auth.oidc.ca"];
  const ca = own === "" ? systemAuthorities : own;
  const config = await oidc.discovery(
    new URL(settings["auth.oidc.issuer"]),
    settings["auth.oidc.client_id"],
    undefined,
    secret === undefined ? oidc.None() : oidc.ClientSecretPost(secret),
    {
      timeout: TIMEOUT_SECONDS,
      // The signature of the ID token is checked although it came over TLS: a proxy before the provider is no provider.
      execute: [oidc.enableNonRepudiationChecks],
      [oidc.customFetch]: (url, options) => fetchBounded(url, options, ca),
    },
  );
  config[oidc.customFetch] = (url, options) => fetchBounded(url, options, ca);
  return config;
}

async function fetchBounded(
  url: string,
  options: oidc.CustomFetchOptions,
  ca: ProviderDeps["systemAuthorities"],
): Promise<Response> {
  if (!url.startsWith("https:")) throw new Error("a provider is asked over TLS only");
  const { body, headers, method, redirect, signal } = options;
  const response = await fetch(url, {
    method,
    headers,
    redirect,
    body: body ?? null,
    signal: signal ?? null,
    ...(ca === undefined ? {} : { tls: { ca: typeof ca === "string" ? ca : [...ca] } }),
  });
  const bytes = await readAtMost(response, MOST_ANSWER_BYTES);
  return new Response(bytes, { status: response.status, headers: response.headers });
}

async function readAtMost(response: Response, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > most) throw new Error(`the provider's answer is over ${most} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
