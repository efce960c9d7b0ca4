/**
 * What a client says of itself when it asks for a session, reduced to what the desktop may be told. Values
 * come from strangers and end in nxagent's options line, where a wrong character aborts the session with a
 * core dump: so only listed names and characters pass, and what doesn't is left out.
 */

export type ClientParameters = {
  readonly keyboard: string;
  readonly os: string;
  readonly link: string;
  readonly geometry: string;
  readonly isFullscreen: boolean;
};

const LINKS: ReadonlySet<string> = new Set(["modem", "isdn", "adsl", "wan", "lan", "local"]);

/** Takes the `qvd.client.*` parameters of a request; anything missing or malformed gets its default. */
export function chooseClientParameters(given: ReadonlyMap<string, string>): ClientParameters {
  const keyboard = given.get("qvd.client.keyboard") ?? "";
  const link = (given.get("qvd.client.link") ?? "").toLowerCase();
  const os = (given.get("qvd.client.os") ?? "").toLowerCase();
  const geometry = given.get("qvd.client.geometry") ?? "";
  return {
    keyboard: /^[a-z0-9_-]{1,32}\/[a-z0-9_-]{1,32}$/i.test(keyboard) ? keyboard : "pc105/us",
    // `winnt` is what Qt says of Windows.
    os: os === "windows" || os === "winnt" ? "windows" : "linux",
    link: LINKS.has(link) ? link : "adsl",
    geometry: /^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$/.test(geometry) ? geometry : "1024x768",
    isFullscreen: given.get("qvd.client.fullscreen") === "1",
  };
}
