/** The agent alone as an executable, for the system test: what `qvd guest run` does, without the rest of qvd. */

const [{ runGuest }, { defaultGuestDeps }] = await Promise.all([
  import("../../src/guest/run-guest.ts"),
  import("../../src/guest/default-deps.ts"),
]);
const over = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => over.abort());
process.exit(await runGuest(defaultGuestDeps(), over.signal));

export {};
