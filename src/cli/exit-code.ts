import type { ErrorCode } from "../lib/errors.ts";

/** The one place that maps what went wrong to a process's exit code. */
export const EXIT_CODES = {
  "bad-input": 2,
  "not-signed-in": 1,
  forbidden: 1,
  "not-found": 1,
  conflict: 1,
  blocked: 1,
  unavailable: 1,
  timeout: 1,
  "storage-full": 1,
  "image-broken": 1,
  "driver-failed": 1,
  "guest-failed": 1,
  "database-away": 1,
  superseded: 1,
  protocol: 1,
} as const satisfies Record<ErrorCode, number>;
