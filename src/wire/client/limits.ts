/** Bounds on what a client may send before its session: generous beside the longest real request (about 1 KiB). */
export const HEAD_LIMITS = {
  lineBytes: 8 * 1024,
  headerCount: 100,
  /** Of one head, with the empty lines before it. */
  headBytes: 32 * 1024,
  /** Of what may lie unread while an earlier request is being answered. */
  waitingBytes: 64 * 1024,
} as const;
