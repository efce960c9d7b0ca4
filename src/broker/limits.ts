/** Every wait of the broker has a deadline, and everything that a stranger can make grow a bound. */
export type BrokerLimits = {
  /** Connections of one worker, sessions included; more are closed as they come. */
  readonly connections: number;
  /** Of these, those that one address may hold; 0 is without bound. */
  readonly perAddress: number;
  readonly handshakeMs: number;
  /** From the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** Of a browser's request, from the end of its head to its answer; files apart. Auth has half a minute of it. */
  readonly answerMs: number;
  /** Between requests: a person chooses a desktop in this time. */
  readonly idleMs: number;
  /** The same for whoever hasn't proved to be anybody: strangers must not be able to fill all places for long. */
  readonly strangerIdleMs: number;
  /** In a crowd of people who sign in, on the open connection, until one's password has its turn. */
  readonly signInMs: number;
  /** How long a closed conversation is read on, so that the answer isn't lost in a reset. */
  readonly lingerMs: number;
  /** From a session's request to the desktop's readiness. The C client gives up after 600 s. */
  readonly startMs: number;
  readonly stopMs: number;
  /** For the TCP connection to a desktop that says it listens. */
  readonly upgradeMs: number;
  /**
   * For the X server of a screen, once it has taken the connection. It is slowest while a session's programs start: in an emulated
   * machine, slowed down besides, it said its first word after 16 s.
   */
  readonly screenProofMs: number;
  /** What remains of a session after one side closed its direction. */
  readonly halfOpenMs: number;
  /** After a desktop closed a browser's screen: until the page is told that, if nobody knows more by then. */
  readonly learnEndMs: number;
  /** How often a waiting client is told something, and the database asked without a wake. */
  readonly pollMs: number;
  /** How seldom the database is told what live sessions have carried. */
  readonly trafficMs: number;
  /** How long somebody who has come before a drain may go on asking. */
  readonly drainTalkMs: number;
  /** After SIGTERM, while balancers ask: how long they are told to go elsewhere before the port closes. */
  readonly leaveMs: number;
  /** From then until the last session ended, or is ended. */
  readonly drainMs: number;
  /** How often the files of TLS are looked at. */
  readonly tlsLookMs: number;
  /** How often sessions of workers that are gone are looked for. */
  readonly orphansMs: number;
};

export const BROKER_LIMITS: BrokerLimits = {
  connections: 10_000,
  perAddress: 5_000,
  handshakeMs: 10_000,
  headMs: 20_000,
  answerMs: 90_000,
  idleMs: 15 * 60_000,
  strangerIdleMs: 60_000,
  signInMs: 120_000,
  lingerMs: 2_000,
  startMs: 270_000,
  stopMs: 270_000,
  upgradeMs: 5_000,
  screenProofMs: 20_000,
  halfOpenMs: 30_000,
  learnEndMs: 4_000,
  pollMs: 2_000,
  trafficMs: 60_000,
  drainTalkMs: 120_000,
  leaveMs: 10_000,
  drainMs: 12 * 60 * 60_000,
  tlsLookMs: 2_000,
  orphansMs: 30_000,
};
