/**
 * Formats what a QVD client is told, byte for byte as the original servers did where a client depends on it:
 * CRLF; `Content-Length`, never chunked, never an empty body (Qt would wait for ever); a reason phrase always
 * (Qt crashes without); `X-QVD-Slave-Key` in exactly this case (Perl and Qt look for it so).
 */

const REASONS = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  414: "URI Too Long",
  422: "Unprocessable Entity",
  426: "Upgrade Required",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
} as const;

export type AnswerStatus = keyof typeof REASONS;

/** A final answer. Without `body` it is text that says what the status means. */
export type Answer = {
  readonly status: AnswerStatus;
  readonly body?: string;
  readonly type?: "text/plain" | "application/json";
  /** Of a 503 that passes by itself. */
  readonly retryAfterSeconds?: number;
};

const MEANINGS = {
  200: "The request was carried out.",
  400: "The request could not be understood.",
  401: "This server could not verify that you are authorized to use it: the user name or the password is\nwrong, or your client does not know how to send them.",
  403: "You are not allowed to do this.",
  404: "There is nothing at this address, or not with this method.",
  408: "The operation was not finished in time.",
  414: "The request line is longer than this server reads.",
  422: "A parameter of the request is missing or wrong.",
  426: "The request must ask for an upgrade to QVD/1.0.",
  431: "The head of the request is longer than this server reads.",
  500: "Something went wrong on the server.",
  503: "The server can't do this at the moment. Retry later.",
  505: "Only HTTP/1.1 is spoken here.",
} as const satisfies Record<AnswerStatus, string>;

/**
 * The head and the body of an answer. They must be written apart, each its own TLS record: the C client
 * hangs when an error comes whole in one.
 */
export function formatAnswer(answer: Answer): { readonly head: Uint8Array; readonly body: Uint8Array } {
  const { status } = answer;
  const reason = REASONS[status];
  const text = answer.body || `${status} ${reason}\r\n\r\n${MEANINGS[status].replaceAll("\n", "\r\n")}\r\n`;
  const body = Buffer.from(text, "utf8");
  const challenge = status === 401 ? 'WWW-Authenticate: Basic realm="QVD"\r\n' : "";
  const { retryAfterSeconds } = answer;
  const retry = retryAfterSeconds === undefined ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  const head = Buffer.from(
    `HTTP/1.1 ${status} ${reason}\r\n${challenge}${retry}Content-Type: ${answer.type ?? "text/plain"}\r\nContent-Length: ${body.length}\r\n\r\n`,
    "latin1",
  );
  return { head, body };
}

/** A progress message for a client that waits; whole in itself. */
export function formatProgress(text: string): Uint8Array {
  return Buffer.from(`HTTP/1.1 102 Processing\r\nX-QVD-VM-Info: ${oneLine(text)}\r\n\r\n`, "utf8");
}

/** The last head before the pipe. It must leave in one write: the C client takes a second record for NX bytes. */
export function formatSwitching(slaveKey: string): Uint8Array {
  return Buffer.from(
    `HTTP/1.1 101 Switching Protocols\r\nX-QVD-Slave-Key: ${oneLine(slaveKey)}\r\n\r\n`,
    "latin1",
  );
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a line break would forge a header.
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").slice(0, 900);
}
