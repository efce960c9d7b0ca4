import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { countTunnels, SoundWatch } from "./sound-watch.ts";

const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  2001        0 37318752 1`;

/** As a machine's watch over itself, turned by hand. */
function openWatch(tunnels: number) {
  let look: (() => void) | undefined;
  const seen = { open: tunnels, lost: 0 };
  const every = (_ms: number, call: () => void) => {
    look = call;
    return () => {
      look = undefined;
    };
  };
  const timers = { every, after: every };
  const watch = new SoundWatch({ timers, countTunnels: () => seen.open, onLost: () => seen.lost++ });
  watch.start(tunnels);
  return { watch, seen, look: () => look?.() };
}

describe("the watch over a session's sound", () => {
  test("says nothing while all tunnels are there", () => {
    const { seen, look } = openWatch(2);
    look();
    expect(seen.lost).toBe(0);
  });

  test("says at each look that one is lost, until it is there again", () => {
    const { seen, look } = openWatch(2);
    seen.open = 1;
    look();
    look();
    seen.open = 2;
    look();
    expect(seen.lost).toBe(2);
  });

  test("is over when it is stopped", () => {
    const { watch, seen, look } = openWatch(1);
    watch.stop();
    seen.open = 0;
    look();
    expect(seen.lost).toBe(0);
  });
});

test("counts who is connected to that port, and neither its listener, its own side nor who has left", () => {
  const folder = mkdtempSync(`${tmpdir()}/qvd-tunnels-`);
  try {
    const rows = [
      row("0100007F:1BBC", "00000000:0000", "0A"),
      row("0100007F:9836", "0100007F:1BBC", "01"),
      row("0100007F:983E", "0100007F:1BBC", "01"),
      row("0100007F:1BBC", "0100007F:9836", "01"),
      row("0100007F:9840", "0100007F:1BBC", "06"),
      row("0100007F:9842", "0100007F:2B5C", "01"),
    ];
    writeFileSync(`${folder}/tcp`, [HEAD, ...rows, ""].join("\n"));
    expect(countTunnels(7_100, `${folder}/tcp`)).toBe(2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
