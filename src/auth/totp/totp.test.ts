import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createMemoryMarks } from "../../../test/support/memory-marks.ts";
import { asId, type TenantId, type UserId } from "../../domain/ids.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import { silentLog } from "../../lib/log.ts";
import { SiteMarks } from "../marks.ts";
import { Throttle } from "../throttle.ts";
import { Tickets } from "../ticket.ts";
import { CODE_LIMITS, CodeLimiter } from "./code-limiter.ts";
import { formatCode, stepAt } from "./one-time-code.ts";
import { createTotp } from "./totp.ts";
import type { TotpStore } from "./totp-store.ts";

const ANN = {
  id: { userId: asId<UserId>(1) },
  login: "ann",
  tenantId: asId<TenantId>(1),
  tenantName: "default",
};

test("codes that couldn't be looked at are forgiven with a right one", async () => {
  const time = { ms: 1_000_000, isDatabaseAway: false };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms };
  const tickets = new Tickets(randomBytes(32));
  const secret = randomBytes(20);
  const sealedSecret = tickets.sealBytes("secret", secret);
  const store: Pick<TotpStore, "find" | "readNowMs" | "useStep"> = {
    find: async () => ({ id: 1, sealedSecret, lastStep: 0 }),
    readNowMs: async () => {
      if (time.isDatabaseAway) throw new Error("away");
      return time.ms;
    },
    useStep: async () => true,
  };
  const log = silentLog();
  const marks = new SiteMarks(createMemoryMarks(clock), log);
  const limiter = new CodeLimiter({ marks, codes: new Throttle(clock, CODE_LIMITS) });
  const totp = createTotp({ store: store as TotpStore, tickets, limiter, log });
  const show = () => totp.verify(ANN, formatCode(secret, stepAt(time.ms)), settingValues([]));
  time.isDatabaseAway = true;
  for (let tries = 0; tries <= CODE_LIMITS.freeFailures; tries++)
    await expect(show()).rejects.toThrow("away");
  time.isDatabaseAway = false;
  expect(await show()).toBe(false);
  time.ms += CODE_LIMITS.firstMs;
  expect([await show(), await show(), await show()]).toEqual([true, true, true]);
});
