/**
 * Bundles what runs in the browser, noVNC with it, into one text. A macro: runs when our own code is bundled or
 * transpiled, so the executable holds the result and needs neither noVNC's files nor a bundler.
 */

export function bundleClient(): string {
  const entry = `${import.meta.dir}/client/page.js`;
  const built = Bun.spawnSync([
    process.execPath,
    "build",
    entry,
    "--minify",
    "--target=browser",
    "--format=esm",
  ]);
  if (!built.success) throw new Error(`bundling the desktop's page: ${built.stderr.toString()}`);
  return built.stdout.toString();
}
