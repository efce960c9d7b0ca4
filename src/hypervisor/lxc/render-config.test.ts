import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../domain/ids.ts";
import type { ContainerSpec } from "../driver.ts";
import { type ConfigOptions, renderConfig } from "./render-config.ts";

const SPEC: ContainerSpec = {
  kind: "container",
  vmId: asId<VmId>(41),
  rootFolder: "/state/vms/41/root",
  homeFolder: "/state/vms/41/home",
  channelFolder: "/state/vms/41/channel",
  agentExecutable: "/state/bin/qvd",
  hostName: "desk41",
  memoryMb: 1024,
  cpus: 1.5,
  idRange: { first: 3_686_976, count: 65_536 },
  port: {
    bridge: "qvdbr0",
    interfaceName: "qvd-41",
    mac: "02:51:0a:4d:01:33",
    address: "10.77.1.51",
    prefixLength: 16,
    gateway: "10.77.0.1",
  },
};
const OPTIONS: ConfigOptions = {
  instance: "qvd",
  initFile: "/state/vms/41/init",
  systemd: [],
  resolvers: ["10.0.0.2", "10.0.0.3"],
  searchDomain: "office.test",
  seccompProfile: "/usr/share/lxc/config/common.seccomp",
};

function readKey(config: string, key: string): string | undefined {
  return config.match(new RegExp(`^lxc\\.${key.replaceAll(".", "\\.")} = (.*)$`, "m"))?.[1];
}

test("a desktop's configuration is the golden one", async () => {
  const golden = await Bun.file(`${import.meta.dir}/../../../test/golden/lxc.conf`).text();
  expect(renderConfig(SPEC, OPTIONS)).toBe(golden);
});

test("where the image brings systemd, it is the first process, with a /run of its own before what is bound there", () => {
  const systemd = [{ source: "/state/vms/41/systemd/agent.service", target: "run/systemd/system/a.service" }];
  const config = renderConfig(SPEC, { ...OPTIONS, systemd });
  expect(readKey(config, "init.cmd")).toBe("/sbin/init");
  expect(readKey(config, "signal.halt")).toBe("SIGRTMIN+3");
  const places = [" tmpfs run ", " run/qvd ", " run/systemd/system/a.service "].map((word) =>
    ` ${config}`.indexOf(word.trimEnd()),
  );
  expect(places[0]).toBeGreaterThan(0);
  expect(places).toEqual([...places].sort((one, other) => one - other));
  const sizes = [...config.matchAll(/size=(\d+)m/g)].map((match) => Number(match[1]));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(SPEC.memoryMb);
});

test("kept folders are bound over the system and its temporary folders, and can't bring other keys along", () => {
  const binds = [{ source: "/state/vms/41/kept/tmp", path: "/tmp" }];
  const entries = renderConfig({ ...SPEC, binds }, OPTIONS).match(/^lxc\.mount\.entry = .* tmp .*$/gm);
  expect(entries?.at(-1)).toBe(
    "lxc.mount.entry = /state/vms/41/kept/tmp tmp none rw,bind,nosuid,nodev,create=dir 0 0",
  );
  for (const path of ["tmp", "/a b", "/a\nlxc.hook.start = /evil"])
    expect(() => renderConfig({ ...SPEC, binds: [{ source: "/x", path }] }, OPTIONS)).toThrow("path");
});

describe("limits", () => {
  test("stand there for both layouts, alike", () => {
    const config = renderConfig(SPEC, OPTIONS);
    expect(readKey(config, "cgroup.memory.limit_in_bytes")).toBe(readKey(config, "cgroup2.memory.max"));
    expect(readKey(config, "cgroup2.cpu.max")).toBe(
      `${readKey(config, "cgroup.cpu.cfs_quota_us")} ${readKey(config, "cgroup.cpu.cfs_period_us")}`,
    );
    expect(readKey(config, "cgroup.pids.max")).toBe(readKey(config, "cgroup2.pids.max"));
  });

  test.each([64, 256, 1000, 8192])(
    "of %d MB are more than all temporary file systems together",
    (memoryMb) => {
      const sizes = [...renderConfig({ ...SPEC, memoryMb }, OPTIONS).matchAll(/size=(\d+)m/g)].map((match) =>
        Number(match[1]),
      );
      expect(sizes.length).toBe(3);
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual((memoryMb * 3) / 4);
    },
  );
});

describe("values that LXC would read as something else", () => {
  test.each([
    ["a blank in a path", { ...SPEC, homeFolder: "/state/my home" }],
    ["a relative path", { ...SPEC, rootFolder: "state/root" }],
    ["a quote in a path", { ...SPEC, agentExecutable: '/state/"bin"/qvd' }],
    ["a line break in a name", { ...SPEC, hostName: "desk\nlxc.hook.pre-start = /evil" }],
    ["a line break in a path", { ...SPEC, channelFolder: "/x\nlxc.hook.start = /evil" }],
  ])("are refused: %s", (_what, spec) => {
    expect(() => renderConfig(spec, OPTIONS)).toThrow(/configuration/);
  });
});
