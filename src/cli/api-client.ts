/**
 * How commands speak to `/api/v1`: where it is, whom to trust, the token, and what its refusals mean. The
 * token of `qvd admin sign-in` is kept in a file that only its owner can read; QVD_LOGIN and QVD_PASSWORD
 * sign in for the one command instead, for programs.
 */

import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { AppError, type ErrorCode } from "../lib/errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

export type ApiPlace = {
  readonly url: string;
  /** PEM file of the authority to trust besides the system's. */
  readonly caFile: string | undefined;
};

export type Api = {
  readonly place: ApiPlace;
  /** Asks and returns the JSON answer; a refusal becomes an AppError with the server's sentence. */
  ask(method: Method, path: string, body?: unknown): Promise<unknown>;
  /** Sends a file as the body of one request. */
  send(path: string, file: Blob, signal?: AbortSignal): Promise<unknown>;
  /** Sends some bytes of a file; `range` is their Content-Range. */
  sendPart(
    path: string,
    part: Blob,
    about: { readonly range: string; readonly signal: AbortSignal },
  ): Promise<unknown>;
};

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const DEFAULT_URL = "https://localhost:9443";
const DEFAULT_STATE = "/var/lib/qvd";
const TIMEOUT_MS = 60_000;

const Kept = z.object({ url: z.string(), ca: z.string().optional(), token: z.string() });
const SignedIn = z.object({ token: z.string() });
const Refusal = z.object({
  error: z.object({ code: z.string(), message: z.string(), field: z.string().optional() }),
});

/** Signed in by the environment or by the kept token; throws `not-signed-in` when there is neither. */
export async function openApi(env: Env): Promise<Api> {
  const { QVD_LOGIN: login, QVD_PASSWORD: password } = env;
  if (login !== undefined && password !== undefined) {
    const place = await findPlace(env);
    return createApi(place, await signIn(place, { login, password }));
  }
  const kept = await readToken(env);
  if (kept === undefined) {
    throw new AppError("not-signed-in", "nobody is signed in: run `qvd admin sign-in` first");
  }
  const place = env.QVD_API_URL === undefined ? { url: kept.url, caFile: kept.ca } : await findPlace(env);
  if (place.url !== kept.url) {
    throw new AppError(
      "not-signed-in",
      `not signed in at ${place.url}: run \`qvd admin sign-in\` with this QVD_API_URL`,
    );
  }
  return createApi({ ...place, caFile: env.QVD_API_CA ?? place.caFile }, kept.token);
}

/** Where the API is by the environment, else on this machine. */
export async function findPlace(env: Env): Promise<ApiPlace> {
  const url = (env.QVD_API_URL ?? DEFAULT_URL).replace(/\/+$/, "");
  if (!URL.canParse(url) || !url.startsWith("https://")) {
    throw new AppError("bad-input", `QVD_API_URL must be an https:// address, not ${url}`, {
      field: "QVD_API_URL",
    });
  }
  if (env.QVD_API_CA !== undefined) return { url, caFile: env.QVD_API_CA };
  const own = `${env.QVD_STATE ?? DEFAULT_STATE}/ca.crt`;
  return { url, caFile: (await Bun.file(own).exists()) ? own : undefined };
}

/** Returns a token. */
export async function signIn(
  place: ApiPlace,
  proof: { readonly login: string; readonly password: string; readonly code?: string },
): Promise<string> {
  const answer = SignedIn.parse(await createApi(place, undefined).ask("POST", "/sign-in", proof));
  return answer.token;
}

export async function keepToken(env: Env, place: ApiPlace, token: string): Promise<string> {
  const file = tokenFile(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ url: place.url, ca: place.caFile, token });
  await writeFile(file, `${text}\n`, { mode: 0o600 });
  // The mode above holds for a new file only.
  await chmod(file, 0o600);
  return file;
}

export async function forgetToken(env: Env): Promise<void> {
  await rm(tokenFile(env), { force: true });
}

async function readToken(env: Env): Promise<z.infer<typeof Kept> | undefined> {
  const text = await readFile(tokenFile(env), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const kept = Kept.safeParse(parseJson(text));
  return kept.success ? kept.data : undefined;
}

function tokenFile(env: Env): string {
  const base = env.XDG_CONFIG_HOME ?? `${env.HOME ?? "/root"}/.config`;
  return `${base}/qvd/token`;
}

export function createApi(place: ApiPlace, token: string | undefined): Api {
  const call = async (path: string, request: RequestInit) => {
    const response = await reach(place, path, {
      ...request,
      headers: { ...authorization(token), ...request.headers },
    });
    const text = await response.text();
    const answer = parseJson(text);
    if (response.ok) return answer;
    throw refusalOf(answer, { status: response.status, isSigningIn: token === undefined });
  };
  return {
    place,
    ask(method, path, body) {
      const timeout = AbortSignal.timeout(TIMEOUT_MS);
      if (body === undefined) return call(path, { method, signal: timeout });
      return call(path, {
        method,
        signal: timeout,
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
    },
    sendPart(path, part, { range, signal }) {
      const headers = { "Content-Type": "application/octet-stream", "Content-Range": range };
      return call(path, { method: "PUT", headers, body: part, signal });
    },
    send(path, file, signal) {
      const headers = { "Content-Type": "application/octet-stream" };
      return call(path, { method: "PUT", headers, body: file, ...(signal === undefined ? {} : { signal }) });
    },
  };
}

async function reach(place: ApiPlace, path: string, request: RequestInit): Promise<Response> {
  const tls = place.caFile === undefined ? {} : { tls: { ca: await readAuthority(place.caFile) } };
  try {
    return await fetch(`${place.url}/api/v1${path}`, { ...request, ...tls });
  } catch (cause) {
    throw new AppError(
      "unavailable",
      `can't reach the API at ${place.url}: is \`qvd admin run\` up? QVD_API_URL names another place, QVD_API_CA the authority to trust`,
      { cause },
    );
  }
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new AppError("bad-input", `can't read the authority in ${file} (QVD_API_CA)`, { cause });
  }
}

function authorization(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    // Not from us, such as a proxy's page; the status says enough.
    return undefined;
  }
}

/** Codes that the server may send; one of a newer server counts as `unavailable`. */
const CODES: readonly ErrorCode[] = [
  "bad-input",
  "not-signed-in",
  "forbidden",
  "not-found",
  "conflict",
  "blocked",
  "unavailable",
  "timeout",
  "storage-full",
  "image-broken",
  "driver-failed",
  "guest-failed",
  "database-away",
  "superseded",
  "protocol",
];

function refusalOf(
  answer: unknown,
  { status, isSigningIn }: { readonly status: number; readonly isSigningIn: boolean },
): AppError {
  const refusal = Refusal.safeParse(answer);
  if (!refusal.success) return new AppError("unavailable", `the API answered ${status} without a reason`);
  const { code, message, field } = refusal.data.error;
  const known = CODES.find((each) => each === code) ?? "unavailable";
  // What the API says is for programs.
  const text =
    known === "not-signed-in" && !isSigningIn
      ? "this sign-in is over: run `qvd admin sign-in` again"
      : message;
  return new AppError(known, text, field === undefined ? {} : { field });
}
