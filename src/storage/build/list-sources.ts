/** The ways by which this machine reaches Debian, for apt inside an image that is being built. */

import { AppError } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Lines of a sources.list for `suite`. `unavailable` when apt knows none. */
export async function listSources(suite: string): Promise<string> {
  const found = await readTargets(suite);
  if (found !== "") return found;
  // A machine whose lists were never read.
  await run(["/usr/bin/apt-get", "update", "-qq"], { timeoutMs: 5 * 60_000 });
  const again = await readTargets(suite);
  if (again !== "") return again;
  throw new AppError(
    "unavailable",
    `apt knows no package list of Debian ${suite}: look at /etc/apt/sources.list and what apt-get update says`,
  );
}

async function readTargets(suite: string): Promise<string> {
  const format = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
  const { stdout } = await run([
    ...["/usr/bin/apt-get", "indextargets", "--format", format],
    ...["Identifier: Packages", "Origin: Debian"],
  ]);
  const lines = [...new Set(stdout.split("\n"))].filter((line) => {
    const release = line.split(" ")[2] ?? "";
    return release === suite || release.startsWith(`${suite}-`);
  });
  return lines
    .sort()
    .map((line) => line.replace(/^deb /, `deb [signed-by=${KEYRING}] `))
    .join("\n");
}

/** apt's own settings for the way out: proxies and authorities. */
export async function readAptProxies(): Promise<string> {
  const { stdout } = await run(["/usr/bin/apt-config", "dump", "Acquire"]);
  const kept = stdout
    .split("\n")
    .filter((line) => /^Acquire::(https?::(.*proxy|cainfo|verify-)|.*::proxy)/i.test(line));
  return kept.length === 0 ? "" : `${kept.join("\n")}\n`;
}
