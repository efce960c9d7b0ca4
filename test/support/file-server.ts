/** A web server of one file that misbehaves on order: breaks off, falls silent, lies, redirects. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type FileServer = AsyncDisposable & {
  readonly url: string;
  readonly port: number;
  content: Buffer;
  etag: string | undefined;
  /** What the next answers do; when none is left, they are honest. */
  readonly moods: Mood[];
  /** The Range header of each request, in order. */
  readonly ranges: (string | undefined)[];
};

export type Mood =
  | { readonly do: "break-off"; readonly afterBytes: number }
  | { readonly do: "fall-silent"; readonly afterBytes: number }
  | { readonly do: "status"; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly do: "raw"; readonly text: string };

/** Listens on 127.0.0.1. */
export async function startFileServer(content: Buffer): Promise<FileServer> {
  const moods: Mood[] = [];
  const ranges: (string | undefined)[] = [];
  const state = { content, etag: '"one"' as string | undefined };
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer({ ...state, mood: moods.shift() }, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/desk.tar`,
    port,
    moods,
    ranges,
    get content() {
      return state.content;
    },
    set content(bytes) {
      state.content = bytes;
    },
    get etag() {
      return state.etag;
    },
    set etag(tag) {
      state.etag = tag;
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

type Answering = {
  readonly content: Buffer;
  readonly etag: string | undefined;
  readonly mood: Mood | undefined;
};

function answer(
  { content, etag, mood }: Answering,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (mood?.do === "raw") {
    response.socket?.end(mood.text);
    return;
  }
  if (mood?.do === "status") {
    response.writeHead(mood.status, mood.headers).end();
    return;
  }
  const wanted = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const isSame = etag !== undefined && request.headers["if-range"] === etag;
  const from = wanted > 0 && isSame ? wanted : 0;
  response.writeHead(from === 0 ? 200 : 206, {
    "Content-Length": content.length - from,
    ...(etag === undefined ? {} : { ETag: etag }),
    ...(from === 0 ? {} : { "Content-Range": `bytes ${from}-${content.length - 1}/${content.length}` }),
  });
  const rest = content.subarray(from);
  if (mood === undefined) response.end(rest);
  else if (mood.do === "fall-silent") response.write(rest.subarray(0, mood.afterBytes));
  else response.write(rest.subarray(0, mood.afterBytes), () => setTimeout(() => response.destroy(), 50));
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
