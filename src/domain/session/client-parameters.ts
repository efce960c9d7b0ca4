/**
 * What a client says of itself when it asks for a session, reduced to what the desktop may be told. Values
 * come from strangers and end in nxagent's options line, where a wrong character aborts the session with a
 * core dump, and in the arguments of hooks: so only listed names and characters pass, and what doesn't is left out.
 */

/** By QVD's names (`qvd.client.link`); whitelisted. */
export type GivenParameters = Readonly<Record<string, string>>;

export type ClientParameters = {
  readonly keyboard: string;
  readonly os: string;
  readonly link: string;
  readonly geometry: string;
  readonly isFullscreen: boolean;
  /** All that was given and may pass, those of above too where they were; absent from requests of before. */
  readonly given?: GivenParameters | undefined;
};

/** More would be no client that we know. */
const MOST_CUSTOM = 20;
const MOST_CUSTOM_VALUE = 256;

const FLAG = (value: string) => /^[01]$/.test(value);
const LABEL = (value: string) => /^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,63}$/.test(value);
const oneOf =
  (...values: readonly string[]) =>
  (value: string) =>
    values.includes(value);

/** What may pass, and in which form. A value that its rule refuses is as good as none. */
const RULES: Readonly<Record<string, (value: string) => boolean>> = {
  "qvd.client.keyboard": (value) => /^[A-Za-z0-9_+-]{1,32}\/[A-Za-z0-9_+-]{1,32}$/.test(value),
  "qvd.client.os": oneOf("linux", "windows", "darwin", "unknown"),
  "qvd.client.link": oneOf("modem", "isdn", "adsl", "wan", "lan", "local"),
  "qvd.client.geometry": (value) => /^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$/.test(value),
  "qvd.client.fullscreen": FLAG,
  "qvd.client.printing.enabled": FLAG,
  "qvd.client.printing.flavor": oneOf("ipp", "cifs", "slave4"),
  "qvd.client.usb.enabled": FLAG,
  "qvd.client.usb.implementation": oneOf("usbip"),
  "qvd.client.audio.sound.enable": FLAG,
  "qvd.client.audio.microphone.enable": FLAG,
  "qvd.client.audio.compression.enable": FLAG,
  "qvd.client.slave.enable": FLAG,
  // No client says it: on which X server a session begins that a browser begins.
  "qvd.client.browser.server": oneOf("vnc", "nx"),
  "qvd.client.timezone": (value) => isTimeZone(value),
  "qvd.client.type": LABEL,
  "qvd.client.os.name": LABEL,
  "qvd.client.os.version": LABEL,
  "qvd.client.hostname": LABEL,
};

/** Whether a property or a setting of this name is one that goes over what a client says. */
export function isClientParameter(name: string): boolean {
  return Object.hasOwn(RULES, name);
}

/** The value as it may pass; undefined when it may not, or the name isn't one that passes. */
export function normalizeClientParameter(name: string, value: string): string | undefined {
  if (name === "qvd.client.keyboard") return normalizeKeyboard(value);
  const lower = name === "qvd.client.os" || name === "qvd.client.link" || name.startsWith("qvd.client.usb.");
  const text = lower ? value.toLowerCase() : value;
  // `winnt` is what Qt says of Windows.
  const known = name === "qvd.client.os" && text === "winnt" ? "windows" : text;
  return isClientParameter(name) && RULES[name]?.(known) === true ? known : undefined;
}

/** Words that have a meaning of their own to nxagent, none of them a layout. */
const NO_LAYOUTS: ReadonlySet<string> = new Set(["query", "clone", "null", "none", "empty"]);

/**
 * A word alone is a layout, of which nxagent would make nothing. A blank was a plus: clients that write values as a person
 * reads them don't escape it, and no keyboard has a blank.
 */
function normalizeKeyboard(value: string): string | undefined {
  const text = value.replaceAll(" ", "+");
  const known = /^[a-z]{2,10}$/.test(text) && !NO_LAYOUTS.has(text) ? `pc105/${text}` : text;
  return RULES["qvd.client.keyboard"]?.(known) === true ? known : undefined;
}

/** Takes the parameters of a request; anything missing or malformed gets its default. */
export function chooseClientParameters(asked: ReadonlyMap<string, string>): ClientParameters {
  const given = whitelist(asked);
  return {
    keyboard: given["qvd.client.keyboard"] ?? "pc105/us",
    os: given["qvd.client.os"] === "windows" ? "windows" : "linux",
    link: given["qvd.client.link"] ?? "adsl",
    geometry: given["qvd.client.geometry"] ?? "1024x768",
    isFullscreen: given["qvd.client.fullscreen"] === "1",
    given,
  };
}

export type ClientParts = {
  readonly client: ClientParameters;
  /** Of OSF, image, user and desktop, merged. */
  readonly properties: GivenParameters;
  /** What an authenticator gives. */
  readonly parameters: GivenParameters;
  /** What the site says for clients that say nothing. */
  readonly defaults: GivenParameters;
};

/**
 * What the desktop is told in the end: the site's defaults, over them the client's own word, over that the
 * properties, over those what an authenticator gives. A value that may not pass leaves the one below it.
 */
export function composeClientParameters(parts: ClientParts): ClientParameters {
  const { client, properties, parameters, defaults } = parts;
  return chooseClientParameters(
    new Map([
      ...Object.entries(whitelistOurs(defaults)),
      ...Object.entries(client.given ?? asGiven(client)),
      ...Object.entries(whitelistOurs(properties)),
      ...Object.entries(whitelistOurs(parameters)),
    ]),
  );
}

/** What is not a client's word may be about anything; only `qvd.client.` is looked at. */
function whitelistOurs(all: GivenParameters): GivenParameters {
  return whitelist(new Map(Object.entries(all).filter(([name]) => isClientParameter(name))));
}

function whitelist(asked: ReadonlyMap<string, string>): GivenParameters {
  let custom = 0;
  const passed = [...asked].flatMap(([name, value]): [string, string][] => {
    const known = normalizeClientParameter(name, value);
    if (known !== undefined) return [[name, known]];
    if (!isCustom(name, value) || ++custom > MOST_CUSTOM) return [];
    return [[name, value]];
  });
  return Object.fromEntries(passed);
}

/** A site's own, for its hooks. */
function isCustom(name: string, value: string): boolean {
  return /^custom\.[A-Za-z0-9][A-Za-z0-9._-]{0,119}$/.test(name) && isOneLine(value, MOST_CUSTOM_VALUE);
}

function isOneLine(value: string, most: number): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a hook reads its arguments line by line.
  return value.length <= most && !/[\u0000-\u001f\u007f]/.test(value);
}

/** As of the zone database: `Europe/Madrid`, `Etc/GMT+1`. No dots, so no way out of its folder. */
function isTimeZone(value: string): boolean {
  return value.length <= 64 && /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$/.test(value);
}

function asGiven(client: ClientParameters): GivenParameters {
  return {
    "qvd.client.keyboard": client.keyboard,
    "qvd.client.os": client.os,
    "qvd.client.link": client.link,
    "qvd.client.geometry": client.geometry,
    "qvd.client.fullscreen": client.isFullscreen ? "1" : "0",
  };
}
