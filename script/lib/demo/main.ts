/** script/demo after its bootstrap: brings the demo up, and does what the options say. */

import { readFileSync } from "node:fs";
import { runOk } from "../../../src/lib/run.ts";
import { runCheck } from "../check/run-check.ts";
import { installExecutable, isBoxRunning, startBox, stopBox } from "./box.ts";
import {
  type Credentials,
  describeDemo,
  readCredentials,
  renderDemo,
  writeShellFile,
} from "./credentials.ts";
import { demoPlace, type Place } from "./place.ts";
import { say } from "./say.ts";
import { buildExecutable, buildImage, ensureSite } from "./site.ts";

type Running = {
  readonly credentials: Credentials;
  /** The box's exit code, when it was us who started it. */
  readonly exited: Promise<number> | undefined;
};

async function bringUp(place: Place): Promise<Running> {
  say("compiling dist/qvd");
  await buildExecutable();
  const image = await buildImage();
  const hasChanged = await installExecutable(place);
  if (hasChanged && isBoxRunning(place)) {
    say("the executable has changed: stopping the demo that runs");
    await stopBox(place);
  }
  writeShellFile(place);
  const exited = isBoxRunning(place) ? undefined : (await startBox(place)).exited;
  return { credentials: await ensureSite(place, image), exited };
}

async function runInForeground(place: Place): Promise<number> {
  const stopped = new Promise<string>((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => resolve(name));
  });
  const { credentials, exited } = await Promise.race([
    bringUp(place),
    stopped.then(() => stopStarting(place)),
  ]);
  process.stdout.write(renderDemo(place, credentials));
  say(exited === undefined ? "it ran already; Ctrl-C stops it" : "Ctrl-C stops it");
  const ended = await Promise.race([stopped, ...(exited === undefined ? [] : [exited])]);
  if (typeof ended === "number") {
    say(`the box ended by itself with ${ended}; its log is ${place.log}`);
    return 1;
  }
  say("stopping");
  await stopBox(place);
  say("stopped; the data stays");
  return 0;
}

async function stopStarting(place: Place): Promise<never> {
  await stopBox(place);
  say("stopped before it was ready; the next run goes on from here");
  process.exit(130);
}

async function detach(place: Place): Promise<number> {
  const { credentials } = await bringUp(place);
  process.stdout.write(renderDemo(place, credentials));
  say("it runs in the background; script/demo --stop ends it");
  return 0;
}

async function check(place: Place): Promise<number> {
  const { credentials, exited } = await bringUp(place);
  const isRight = await runCheck(place, credentials);
  // A demo that somebody left running goes on; ours was for the check.
  if (exited !== undefined) {
    say("stopping");
    await stopBox(place);
  }
  return isRight ? 0 : 1;
}

function printInfo(place: Place): number {
  const credentials = readCredentials(place);
  if (credentials?.vm === undefined || credentials.otherVm === undefined) {
    process.stderr.write("demo: there is none yet: script/demo --detach makes it\n");
    return 1;
  }
  process.stdout.write(`${JSON.stringify(describeDemo(place, credentials), null, 2)}\n`);
  return 0;
}

/** Never through a mount: what a desktop has mounted there is not ours to empty. */
async function removeState(place: Place): Promise<void> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const inside = mounts
    .map((line) => line.split(" ")[4] ?? "")
    .find((path) => path.startsWith(`${place.state}/`));
  if (inside !== undefined) throw new Error(`${inside} is still mounted; unmount it, and run this again`);
  // The program, since an unpacked image is tens of thousands of files.
  await runOk(`remove ${place.state}`, ["rm", "-rf", "--one-file-system", place.state], {
    timeoutMs: 120_000,
  });
}

async function run(options: ReadonlySet<string>): Promise<number> {
  const place = demoPlace(process.env);
  if (options.has("--info")) return printInfo(place);
  if (options.has("--stop") || options.has("--reset")) {
    await stopBox(place);
    if (options.has("--stop")) return 0;
    say(`removing ${place.state}`);
    await removeState(place);
  }
  if (options.has("--check")) return await check(place);
  return options.has("--detach") ? await detach(place) : await runInForeground(place);
}

try {
  process.exit(await run(new Set(process.argv.slice(2))));
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
