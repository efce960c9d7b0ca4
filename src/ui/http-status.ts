/** The one place that maps what went wrong to an HTTP status. */

import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ErrorCode } from "../lib/errors.ts";

export const HTTP_STATUSES = {
  "bad-input": 422,
  "not-signed-in": 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  blocked: 403,
  unavailable: 503,
  timeout: 504,
  "storage-full": 507,
  "image-broken": 422,
  "driver-failed": 502,
  "guest-failed": 502,
  "database-away": 503,
  superseded: 409,
  protocol: 400,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;
