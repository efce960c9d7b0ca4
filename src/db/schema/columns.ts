/** Column kinds that the tables share. */

import { sql } from "drizzle-orm";
import { customType, timestamp } from "drizzle-orm/pg-core";

/** All SQL takes its time from here; see migration 0001. */
export const qvdNow = sql`qvd_now()`;

/** A moment, as a Date. */
export function moment(name: string) {
  return timestamp(name, { withTimezone: true, mode: "date" });
}

export const bytea = customType<{ data: Uint8Array; driverData: Buffer }>({
  dataType: () => "bytea",
  toDriver: (value) => Buffer.from(value),
});
