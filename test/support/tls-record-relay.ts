/**
 * A TCP relay that notes the lengths of the TLS records in which a server sends its data. Clients must speak TLS
 * 1.2: in 1.3 session tickets look like data.
 */

const HEADER_BYTES = 5;
const APPLICATION_DATA = 23;

export type TlsRecordRelay = {
  readonly port: number;
  /** Lengths as encrypted, of all connections together, oldest first. */
  readonly records: number[];
  readonly stop: () => void;
};

type Far = { peer: Bun.Socket<Far> | undefined; early: Uint8Array[] };

export function openTlsRecordRelay(serverPort: number): TlsRecordRelay {
  const records: number[] = [];
  const listener = Bun.listen<Far>({
    hostname: "127.0.0.1",
    port: 0,
    data: { peer: undefined, early: [] },
    socket: {
      open: (client) => {
        client.data = { peer: undefined, early: [] };
        void connect(client);
      },
      data: (client, chunk) => {
        if (client.data.peer === undefined) client.data.early.push(new Uint8Array(chunk));
        else client.data.peer.write(chunk);
      },
      close: (client) => void client.data.peer?.end(),
      error: () => {},
    },
  });

  async function connect(client: Bun.Socket<Far>): Promise<void> {
    let unread = Buffer.alloc(0);
    const server = await Bun.connect<Far>({
      hostname: "127.0.0.1",
      port: serverPort,
      data: { peer: client, early: [] },
      socket: {
        data: (_server, chunk) => {
          unread = Buffer.concat([unread, chunk]);
          unread = take(unread, records);
          client.write(chunk);
        },
        close: () => void client.end(),
        error: () => {},
      },
    });
    client.data.peer = server;
    for (const chunk of client.data.early.splice(0)) server.write(chunk);
  }

  return { port: listener.port, records, stop: () => listener.stop(true) };
}

/** Notes whole records and returns what is left. */
function take(bytes: Buffer<ArrayBuffer>, records: number[]): Buffer<ArrayBuffer> {
  let rest = bytes;
  while (rest.length >= HEADER_BYTES) {
    const length = rest.readUInt16BE(3);
    if (rest.length < HEADER_BYTES + length) break;
    if (rest[0] === APPLICATION_DATA) records.push(length);
    rest = rest.subarray(HEADER_BYTES + length);
  }
  return rest;
}
