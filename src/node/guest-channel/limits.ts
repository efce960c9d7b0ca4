/** Bounds on what one desktop can cost the node through its guest channel. */

import type { BucketLimits } from "../../lib/token-bucket.ts";

export type ChannelLimits = {
  /**
   * Lines of one connection; an agent sends one in five seconds and a handful around a connect. Each that tells
   * of a session costs a look at the whole box, and may cost a line of the trail.
   */
  readonly lines: BucketLimits;
  /** So many bytes cost as much as one line. */
  readonly bytesPerLineToken: number;
  readonly mostGarbage: number;
  readonly mostUnsentBytes: number;
  /** Connections open at once; an agent has one, and two for the moment of its restart. */
  readonly mostConnections: number;
  /** New connections, greeted or not. */
  readonly connections: BucketLimits;
  /** A connection without a hello is ended after so long. */
  readonly helloTimeoutMs: number;
  /** No line for so long: the agent is gone or stuck. */
  readonly silenceMs: number;
  readonly mostOrders: number;
  /** How long the socket is away after a limit was broken: doubling. */
  readonly backoff: { readonly firstMs: number; readonly mostMs: number };
};

export const CHANNEL_LIMITS: ChannelLimits = {
  lines: { perSecond: 5, burst: 200 },
  bytesPerLineToken: 4096,
  mostGarbage: 20,
  mostUnsentBytes: 256 * 1024,
  mostConnections: 4,
  connections: { perSecond: 2, burst: 10 },
  helloTimeoutMs: 10_000,
  silenceMs: 30_000,
  mostOrders: 8,
  backoff: { firstMs: 1_000, mostMs: 60_000 },
};
