import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { readBoxId } from "./read-box-id.ts";

test("a box keeps its identity, and makes one where there is none to read", () => {
  const folder = mkdtempSync(`${tmpdir()}/box-id-`);
  try {
    const first = readBoxId(folder);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(readBoxId(folder)).toBe(first);
    expect(readFileSync(`${folder}/box-id`, "utf8")).toBe(`${first}\n`);
    // Half a file, from a full disk of another program's doing.
    writeFileSync(`${folder}/box-id`, first.slice(0, 7));
    expect(readBoxId(folder)).not.toBe(first);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("processes that ask at the same moment get the same, and leave nothing else there", async () => {
  const folder = mkdtempSync(`${tmpdir()}/box-id-`);
  // As many as a pipe takes at once.
  const places = Array.from({ length: 100 }, (_, n) => `${folder}/${n}`);
  for (const place of places) mkdirSync(place);
  const script = `
    import { existsSync } from "node:fs";
    import { readBoxId } from ${JSON.stringify(`${import.meta.dir}/read-box-id.ts`)};
    console.log("ready");
    for (const end = Date.now() + 20_000; !existsSync("${folder}/go") && Date.now() < end; );
    console.log(${JSON.stringify(places)}.map(readBoxId).join());`;
  const children = Array.from({ length: 3 }, () =>
    Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" }),
  );
  try {
    const said = children.map(({ stdout }) => stdout.pipeThrough(new TextDecoderStream()).getReader());
    for (const one of said) expect(await one.read()).toMatchObject({ value: "ready\n" });
    writeFileSync(`${folder}/go`, "");
    const kept = await Promise.all(said.map(async (one) => (await one.read()).value?.trim()));
    expect(new Set(kept)).toEqual(new Set([places.map(readBoxId).join()]));
    await Promise.all(children.map(({ exited }) => exited));
    for (const place of places) expect(readdirSync(place)).toEqual(["box-id"]);
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true });
  }
}, 30_000);
