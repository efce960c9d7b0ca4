/**
 * Images for tests of a whole box: a small real desktop that never stops drawing and writes down what is typed
 * into it, and two that are no use: one whose agent never runs, one whose agent talks rubbish.
 */

import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { runOk } from "../../src/lib/run.ts";
import { ensureArchive } from "../system/guest-lab.ts";
import { makeTinyRoot, packRoot } from "./tiny-root.ts";

/** Colour of the window that takes what is typed. */
export const WINDOW_COLOUR = "#c02040";
/** File in the home that has it. */
export const TYPED_FILE = "typed";

/** A clock of tenths of a second in one corner: bytes always flow. */
const SESSION_PROGRAM = `#!/bin/sh
xsetroot -solid '#204080'
xterm -geometry 24x2+700+10 -e sh -c 'i=0; while :; do i=$((i+1)); printf "\\r%s" "$i"; sleep 0.1; done' &
exec xterm -bg '${WINDOW_COLOUR}' -fg white -geometry 80x30+20+20 \\
  -e sh -c 'while read -r line; do echo "$line" >> "$HOME/${TYPED_FILE}"; done'
`;

/** In the shell's place, so that it is the desktop's first process. */
const MUTE_INIT = `#!/usr/bin/dash
trap 'exit 0' TERM
while :; do /usr/bin/sleep 0.2; done
`;

/** Attaches to the node's socket and sends it lines that are none, over and over. */
const BABBLING_INIT = `#!/usr/bin/perl
$SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
my @words = ("\\0" x 300 . "\\n", "{\\"type\\":\\n", "[" x 70000, "\\n{\\"type\\":\\"hello\\",\\"version\\":1e99}\\n",
  "\\xff\\xfe\\n", "{\\"type\\":\\"hello\\",\\"version\\":1,\\"attachment\\":\\"a\\"}\\n{\\"type\\":\\"state\\"}\\n");
for (my $i = 0; ; $i++) {
  my $node;
  if (socket($node, 1, 1, 0) && connect($node, pack('Sa*', 1, '/run/qvd/guest.sock'))) {
    syswrite($node, $words[$i % @words]) for 1 .. 40;
  }
  select(undef, undef, undef, 0.05);
}
`;

/** Puts a packed desktop at `path`. */
export async function packDesktop(path: string): Promise<void> {
  await inScratch(async (scratch) => {
    await runOk("unpacking the root", [
      "zstd",
      "-q",
      "-d",
      await ensureArchive(),
      "-o",
      `${scratch}/root.tar`,
    ]);
    await mkdir(`${scratch}/more/etc/qvd`, { recursive: true });
    await writeFile(`${scratch}/more/etc/qvd/session`, SESSION_PROGRAM, { mode: 0o755 });
    const add = ["tar", "--append", "--owner=0", "--group=0", "-C", `${scratch}/more`];
    await runOk("adding the session", [...add, "-f", `${scratch}/root.tar`, "./etc/qvd/session"]);
    await runOk("packing", ["zstd", "-q", "-1", "-T2", `${scratch}/root.tar`, "-o", path]);
  });
}

export async function packMute(path: string): Promise<void> {
  await packTiny(path, MUTE_INIT, async () => {});
}

export async function packBabbler(path: string): Promise<void> {
  await packTiny(path, BABBLING_INIT, async (root) => {
    await cp("/usr/bin/perl", `${root}/usr/bin/perl`);
    const linked = await runOk("reading perl's libraries", ["/usr/bin/ldd", "/usr/bin/perl"]);
    for (const [library] of linked.matchAll(/\/lib\S+/g)) await copyFile(library, `${root}/usr${library}`);
  });
}

async function packTiny(path: string, init: string, more: (root: string) => Promise<void>): Promise<void> {
  await inScratch(async (scratch) => {
    const root = `${scratch}/root`;
    await makeTinyRoot(root);
    await more(root);
    await rm(`${root}/usr/bin/sh`);
    await writeFile(`${root}/usr/bin/sh`, init, { mode: 0o755 });
    await packRoot(root, path);
  });
}

async function inScratch(work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp("/var/tmp/qvd-fault-image-");
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
