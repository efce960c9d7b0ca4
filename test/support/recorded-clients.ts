/**
 * What the three families of QVD clients send, byte for byte as it was recorded from them, as alice with the
 * password `secret` at desktop 1. Perl's parameters come in random order; this is one of those that were seen.
 */

export type RecordedClient = {
  readonly name: string;
  /** The list of desktops, on a connection of its own or the same. */
  readonly list: string;
  readonly connect: string;
  readonly connections: "one" | "two";
  /** What of the connect reaches the desktop. */
  readonly told: Readonly<Record<string, string | boolean>>;
  /** What the client's own nxproxy says first. */
  readonly first: string;
  /** Asked between the two, on the list's connection, where "restart the session" was chosen; and what that comes to. */
  readonly stop: { readonly request: string; readonly status: number };
};

const BASIC = "Authorization: Basic YWxpY2U6c2VjcmV0";
const NX = "NXPROXY-3.5.0-3.5.99 stream=default,data=default ";

const lines = (eol: string, ...all: readonly string[]) => all.map((line) => line + eol).join("") + eol;

const PERL: RecordedClient = {
  name: "Perl",
  connections: "one",
  list: lines(
    "\r\n",
    "GET /qvd/list_of_vm? HTTP/1.1",
    BASIC,
    "Accept: application/json",
    "User-Agent: QVD::HTTPC/0.01 (linux)",
  ),
  connect: lines(
    "\r\n",
    "GET /qvd/connect_to_vm?qvd.client.audio.compression.enable=0&qvd.client.link=adsl&qvd.client.printing.enabled=0&qvd.client.audio.redirect.port=&qvd.client.usb.enabled=0&id=1&qvd.client.keyboard=pc105%2Fes&qvd.client.geometry=1024x768&qvd.client.audio.redirect.server=&qvd.client.usb.implementation=USBIP&qvd.client.os=linux&qvd.client.fullscreen=&qvd.client.nxagent.extra_args=&qvd.client.audio.redirect.enable=0 HTTP/1.1",
    BASIC,
    "Connection: Upgrade",
    "Upgrade: QVD/1.0",
    "User-Agent: QVD::HTTPC/0.01 (linux)",
  ),
  told: { keyboard: "pc105/es", os: "linux", link: "adsl", geometry: "1024x768", isFullscreen: false },
  first: NX,
  stop: {
    request: lines(
      "\r\n",
      "GET /qvd/stop_vm?id=1 HTTP/1.1",
      BASIC,
      "Connection: Upgrade",
      "Upgrade: QVD/1.0",
      "User-Agent: QVD::HTTPC/0.01 (linux)",
    ),
    status: 200,
  },
};

/** It says more of its system there; the rest is what it says everywhere. */
const PERL_ON_WINDOWS: RecordedClient = {
  ...PERL,
  name: "Perl on Windows",
  list: PERL.list.replace("(linux)", "(MSWin32)"),
  connect: PERL.connect
    .replace("qvd.client.os=linux", "qvd.client.os=windows")
    .replace(
      "&id=1",
      "&qvd.client.os.version=10.0&qvd.client.hostname=ANNS-PC&id=1&qvd.client.printing.flavor=slave4&qvd.client.os.name=Windows%2010",
    )
    .replace("(linux)", "(MSWin32)"),
  told: { ...PERL.told, os: "windows" },
  stop: { ...PERL.stop, request: PERL.stop.request.replace("(linux)", "(MSWin32)") },
};

const C: RecordedClient = {
  name: "C library",
  connections: "two",
  list: lines(
    "\r\n",
    "GET /qvd/list_of_vm HTTP/1.1",
    "Host: localhost:8443",
    BASIC,
    "User-Agent: QVD/3.1 libcurl/7.88.1 OpenSSL/3.0.17 zlib/1.2.13",
    "Accept: */*",
  ),
  connect: lines(
    "\n",
    "GET /qvd/connect_to_vm?id=1&qvd.client.os=linux&qvd.client.geometry=800x600&qvd.client.link=adsl&qvd.client.keyboard=pc105/en&qvd.client.fullscreen=0 HTTP/1.1",
    BASIC,
    "Connection: Upgrade",
    "Upgrade: QVD/1.0",
  ),
  told: { keyboard: "pc105/en", os: "linux", link: "adsl", geometry: "800x600", isFullscreen: false },
  first: NX,
  // It forgets to say which one.
  stop: {
    request: lines(
      "\r\n",
      "GET /qvd/stop_vm HTTP/1.1",
      "Host: localhost:8443",
      BASIC,
      "User-Agent: QVD/3.1 libcurl/7.88.1 OpenSSL/3.0.17 zlib/1.2.13",
      "Accept: */*",
    ),
    status: 422,
  },
};

const QT_HEAD = [BASIC, "User-Agent: QVDClient Qt/0.01 (Linux)"];

const qt = (name: string, kernel: string, zone: string): RecordedClient => ({
  name,
  connections: "one",
  list: lines("\n", "GET /qvd/list_of_vm HTTP/1.1", ...QT_HEAD, "Accept: application/json"),
  connect: lines(
    "\n",
    `GET /qvd/connect_to_vm?id=1&qvd.client.type=qt&qvd.client.keyboard=empty/empty&qvd.client.os=${kernel}&qvd.client.nxagent.extra_args=&qvd.client.geometry=1024x768&qvd.client.fullscreen=1&qvd.client.printing.enabled=1&qvd.client.usb.enabled=0&qvd.client.usb.implementation=usbip&qvd.client.link=lan&qvd.client.audio.sound.enable=0&qvd.client.audio.microphone.enable=0&qvd.client.audio.compression.enable=1&qvd.client.timezone=${zone} HTTP/1.1`,
    ...QT_HEAD,
    "Connection: Upgrade",
    "Upgrade: QVD/1.0",
  ),
  told: {
    keyboard: "empty/empty",
    os: kernel === "winnt" ? "windows" : "linux",
    link: "lan",
    geometry: "1024x768",
    isFullscreen: true,
  },
  first: NX,
  stop: {
    request: lines(
      "\n",
      "GET /qvd/stop_vm?id=1 HTTP/1.1",
      ...QT_HEAD,
      "Connection: Upgrade",
      "Upgrade: QVD/1.0",
    ),
    status: 200,
  },
});

const QT = qt("Qt", "linux", "Etc/UTC");

export const RECORDED_CLIENTS: readonly RecordedClient[] = [
  PERL,
  C,
  QT,
  // It writes values as a person reads them, so a blank comes as a blank.
  qt("Qt on Windows, with a blank in a value", "winnt", "Europe/Madrid&qvd.client.hostname=ann's pc"),
  // Its variables of the environment, hexadecimal name and base64 value, on every request.
  {
    ...QT,
    name: "Qt that shares its environment",
    list: QT.list.replace("Accept:", "Auth-5051: dmFsdWU=\nAccept:"),
    connect: QT.connect.replace("Connection:", "Auth-5051: dmFsdWU=\nConnection:"),
    stop: {
      ...QT.stop,
      request: QT.stop.request.replace("Connection:", "Auth-5051: dmFsdWU=\nConnection:"),
    },
  },
  PERL_ON_WINDOWS,
];

/** That of `PERL_BY_TOKEN`, of alice, and that of `C_BY_TOKEN`, which comes on two connections. */
export const RECORDED_TOKEN = "0kZ3hTq8cVb2XnMd5RwLs7YpGjAa1FeUiBoKt9QxCvE";
export const RECORDED_TOKEN_OF_MANY_USES = "Q7mWz1RkPf4YtHb9LxDs2VnJc6EgUoAa8TiKq3MyBwX";

const bearerOf = (token: string) => `Authorization: Bearer ${Buffer.from(token).toString("base64")}`;
const BEARER = bearerOf(RECORDED_TOKEN);
const BEARER_OF_MANY_USES = bearerOf(RECORDED_TOKEN_OF_MANY_USES);

/** From a gateway of the portal (`qvdclient -b`). */
export const C_BY_TOKEN: RecordedClient = {
  ...C,
  name: "C library, by a token",
  list: C.list.replace(BASIC, BEARER_OF_MANY_USES),
  connect: C.connect.replace(BASIC, BEARER_OF_MANY_USES),
  stop: { ...C.stop, request: C.stop.request.replace(BASIC, BEARER_OF_MANY_USES) },
};

/** From the portal, by a token in place of a password; its variables of the environment go with the list alone. */
export const PERL_BY_TOKEN: RecordedClient = {
  ...PERL,
  name: "Perl, by a token, that shares its environment",
  list: PERL.list
    .replace(BASIC, BEARER)
    .replace("User-Agent:", "Auth-4b5242354343: RklMRTovdG1wL2s=\r\nAuth-5051: dmFsdWU=\r\nUser-Agent:"),
  connect: PERL.connect.replace(BASIC, BEARER),
  stop: { ...PERL.stop, request: PERL.stop.request.replace(BASIC, BEARER) },
};
