/** Sound of a person's PC: a PulseAudio with a loudspeaker that nobody hears, for browsers that play to nothing less. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { run } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";

export type Loudspeaker = {
  /** What has a program play there. */
  readonly env: Readonly<Record<string, string>>;
  /** The last second of what was played: 16-bit samples, 8,000 a second. */
  record(): Promise<Int16Array>;
  stop(): Promise<void>;
};

export async function startLoudspeaker(): Promise<Loudspeaker> {
  const folder = await mkdtemp("/tmp/qvd-loudspeaker-");
  const start = `${folder}/start.pa`;
  await writeFile(
    start,
    `load-module module-native-protocol-unix socket=${folder}/socket auth-anonymous=1
load-module module-null-sink sink_name=loudspeaker
`,
  );
  const quiet = ["--daemonize=no", "--exit-idle-time=-1", "--high-priority=no", "--realtime=no"];
  const server = Bun.spawn(["pulseaudio", "-n", "-F", start, ...quiet], {
    env: { PATH: "/usr/bin:/bin", HOME: folder, XDG_RUNTIME_DIR: folder },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const env = { PULSE_SERVER: `unix:${folder}/socket`, PATH: "/usr/bin:/bin", HOME: folder };
  const isUp = async () => (await run(["pactl", "info"], { env })).exitCode === 0;
  if (!(await waitFor(isUp, { timeoutMs: 60_000, everyMs: 50 })))
    throw new Error("the loudspeaker's PulseAudio did not start");
  return {
    env: { PULSE_SERVER: env.PULSE_SERVER },
    async record() {
      const words = ["--device=loudspeaker.monitor", "--format=s16le", "--rate=8000", "--channels=1"];
      const recorder = Bun.spawn(["timeout", "1.5", "parec", ...words], {
        env,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const bytes = await new Response(recorder.stdout).arrayBuffer();
      return new Int16Array(bytes.slice(0, bytes.byteLength & ~1));
    },
    async stop() {
      server.kill("SIGKILL");
      await server.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
