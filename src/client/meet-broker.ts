/**
 * A look at who answers before anybody types a password for it: that somebody does, that their certificate is
 * believed, and that it is a broker.
 */

import { AppError } from "../lib/errors.ts";
import { BrokerConnection, type OpenOptions } from "./broker-connection.ts";

const ALIVE = "I am alive!";

/** Throws when it can't be reached, isn't believed, or is none. One that takes nobody now says so itself, later. */
export async function meetBroker(options: OpenOptions): Promise<void> {
  const connection = await BrokerConnection.open(options);
  const { status, body } = await connection.ask("/qvd/ping", {}).finally(() => connection.close());
  if (status === 503 || (status === 200 && body.trim() === ALIVE)) return;
  const { host, port } = options.place;
  throw new AppError(
    "unavailable",
    `connecting to ${host}:${port} failed: what answers there is no QVD broker. Check host and port; brokers usually have 8443`,
  );
}
