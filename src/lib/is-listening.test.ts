import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isListening } from "./is-listening.ts";

const folder = mkdtempSync(join(tmpdir(), "is-listening-"));
const HEAD =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".padEnd(
    149,
  );
const row = (local: string, state: string, pad = 149) =>
  `   0: ${local} ${local.replace(/[^:]/g, "0")} ${state} 00000000:00000000 00:00000000 00000000   993        0 30`.padEnd(
    pad,
  );

/** What the kernel would say of a network with these. */
function write({ tcp, tcp6 }: { readonly tcp: readonly string[]; readonly tcp6: readonly string[] }): string {
  writeFileSync(
    `${folder}/sockstat`,
    `sockets: used 4\nTCP: inuse ${tcp.length} orphan 0 tw 2 alloc 9 mem 1\nUDP: inuse 3 mem 0\n`,
  );
  writeFileSync(`${folder}/sockstat6`, `TCP6: inuse ${tcp6.length}\nUDP6: inuse 1\n`);
  writeFileSync(`${folder}/tcp`, `${[HEAD, ...tcp].join("\n")}\n`);
  writeFileSync(`${folder}/tcp6`, `${[HEAD.trimEnd(), ...tcp6].join("\n")}\n`);
  return folder;
}

afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("isListening", () => {
  const listens = row("0100007F:1004", "0A");
  const other = row("00000000:0016", "0A");
  const connected = row("0100007F:1004", "01");
  const six = row(`${"0".repeat(32)}:1004`, "0A", 0);
  test.each([
    ["nobody", [], [], false],
    ["one that listens", [listens], [], true],
    ["one behind others", [other, other, listens], [], true],
    ["another port alone", [other], [], false],
    ["a connection from that port", [connected], [], false],
    ["a listener of IPv6", [], [six], true],
    ["the second of IPv6", [other], [row(`${"0".repeat(32)}:0016`, "0A", 0), six], true],
  ] as const)("sees %s", (_name, tcp, tcp6, expected) => {
    Bun.spawnSync(["mkdir", "-p", folder]);
    expect(isListening(4100, write({ tcp, tcp6 }))).toBe(expected);
  });

  test("sees one wherever its row is cut by the reads before", () => {
    Bun.spawnSync(["mkdir", "-p", folder]);
    for (let more = 0; more < 150; more++) {
      const before = row(`${"0".repeat(32)}:0016`, "0A", 160 + more);
      expect(isListening(4100, write({ tcp: [], tcp6: [before, six] }))).toBe(true);
    }
  });

  test("a network that is gone has no listener", () =>
    expect(isListening(4100, join(folder, "none"))).toBe(false));

  test("agrees with this machine's kernel", () => {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    expect(isListening(server.port)).toBe(true);
    server.stop(true);
    expect(isListening(server.port)).toBe(false);
  });
});
