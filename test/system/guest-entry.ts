/** The agent alone as an executable, for the system test: what `qvd guest run`, `unlock`, `slave` and `screen` do, without the rest of qvd. */

if (process.argv.slice(2).join(" ") === "guest unlock") {
  const { guestUnlock } = await import("../../src/cli/guest/unlock.ts");
  const signal = new AbortController().signal;
  const write = (text: string) => void process.stdout.write(text);
  const io = { out: write, err: write, env: process.env, isTerminal: false, signal };
  process.exit(await guestUnlock.run(io, { positionals: [], options: {} }));
}
if (process.argv.slice(2).join(" ") === "guest slave") {
  const { guestSlave } = await import("../../src/cli/guest/slave.ts");
  const { writeSync } = await import("node:fs");
  const signal = new AbortController().signal;
  const io = {
    out: (text: string) => void writeSync(1, text),
    err: (text: string) => void writeSync(2, text),
    env: process.env,
    isTerminal: false,
    signal,
  };
  process.exit(await guestSlave.run(io, { positionals: [], options: {} }));
}
if (process.argv.slice(2, 4).join(" ") === "guest screen") {
  const { guestScreen } = await import("../../src/cli/guest/screen.ts");
  const write = (text: string) => void process.stderr.write(text);
  const signal = new AbortController().signal;
  const io = { out: write, err: write, env: process.env, isTerminal: false, signal };
  process.exit(await guestScreen.run(io, { positionals: process.argv.slice(4), options: {} }));
}
const [{ runGuest }, { defaultGuestDeps }] = await Promise.all([
  import("../../src/guest/run-guest.ts"),
  import("../../src/guest/default-deps.ts"),
]);
const over = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => over.abort());
process.exit(await runGuest(defaultGuestDeps(), over.signal));

export {};
