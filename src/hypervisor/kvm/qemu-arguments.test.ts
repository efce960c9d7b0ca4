import { describe, expect, test } from "bun:test";
import { asId, type VmId } from "../../domain/ids.ts";
import { layoutOf } from "../../domain/node/layout.ts";
import type { MachineSpec } from "../driver.ts";
import { machineFiles } from "./machine-files.ts";
import { machineMemoryMb, type QemuOptions, qemuCommand } from "./qemu-arguments.ts";

const vmId = asId<VmId>(7);
const spec: MachineSpec = {
  kind: "machine",
  vmId,
  systemDisk: "/s.qcow2",
  imageDisk: "/i.qcow2",
  homeDisk: "/h.disk",
  hasAgent: true,
  channelFolder: "/c",
  hostName: "desk",
  memoryMb: 512,
  cpus: 2,
  idRange: { first: 1_065_536, count: 65_536 },
  port: {
    ...{ bridge: "qvdbr0", interfaceName: "qvd-7", mac: "02:51:0a:5d:00:02", address: "10.93.0.2" },
    ...{ prefixLength: 24, gateway: "10.93.0.1" },
  },
};
const options: QemuOptions = {
  accelerator: "tcg",
  kvmGid: 110,
  files: machineFiles(layoutOf("/state", "/run/qvd"), vmId),
  channelSocket: "/c,d/guest.sock",
  descriptors: { tap: 3, system: 4, image: { descriptor: 5, format: "qcow2" }, home: 6 },
};

/** The block nodes by name. */
function nodesOf(command: readonly string[]): Record<string, Record<string, unknown>> {
  const nodes = command.flatMap((word, index) =>
    command[index - 1] === "-blockdev" ? [JSON.parse(word)] : [],
  );
  return Object.fromEntries(nodes.map((node) => [node["node-name"], node]));
}

describe("a machine's disks", () => {
  test("are inherited opened: no path of the host is named", () => {
    const command = qemuCommand(spec, options);
    for (const path of [spec.systemDisk, spec.imageDisk, spec.homeDisk]) expect(command).not.toContain(path);
    const files = Object.values(nodesOf(command)).filter(({ driver }) => driver === "file");
    expect(files.map(({ filename }) => filename)).toEqual(["/dev/fdset/5", "/dev/fdset/4", "/dev/fdset/6"]);
  });

  test("stand on what we say, never on what a header says", () => {
    const nodes = nodesOf(qemuCommand(spec, options));
    expect(nodes.system).toMatchObject({ driver: "qcow2", backing: "image" });
    expect(nodes.image).toMatchObject({ "read-only": true, backing: null });
    const whole = qemuCommand(spec, {
      ...options,
      descriptors: { ...options.descriptors, image: undefined },
    });
    expect(nodesOf(whole).system).toMatchObject({ backing: null });
    expect(nodesOf(whole)).not.toHaveProperty("image");
  });

  test("of a raw image have no header to override", () => {
    const image = { descriptor: 5, format: "raw" } as const;
    const nodes = nodesOf(qemuCommand(spec, { ...options, descriptors: { ...options.descriptors, image } }));
    expect(nodes.image).toEqual({
      driver: "raw",
      "node-name": "image",
      file: "image-file",
      "read-only": true,
    });
  });

  test("that may move pass the box's memory by, in each node of theirs, and no other", () => {
    const descriptors = { ...options.descriptors, direct: [6] };
    const nodes = nodesOf(qemuCommand(spec, { ...options, descriptors }));
    const direct = Object.keys(nodes).filter((name) => "cache" in (nodes[name] ?? {}));
    expect(direct.toSorted()).toEqual(["home", "home-file"]);
    expect(nodes.home).toMatchObject({ cache: { direct: true } });
  });

  test("are one fewer where the OSF keeps nothing", () => {
    const descriptors = { ...options.descriptors, home: undefined };
    expect(nodesOf(qemuCommand(spec, { ...options, descriptors }))).not.toHaveProperty("home");
  });
});

describe("a machine", () => {
  test("without our agent has no port for it", () => {
    const words = qemuCommand({ ...spec, hasAgent: false }, options).join(" ");
    expect(words).not.toContain("org.qvd.guest.0");
    expect(qemuCommand(spec, options).join(" ")).toContain("name=org.qvd.guest.0");
  });

  test("finds its socket whatever its path holds", () =>
    expect(qemuCommand(spec, options)).toContain(
      "socket,id=agent,path=/c,,d/guest.sock,server=off,reconnect=1",
    ));

  test("with the processor's help is in the group that may use it, an emulated one in none", () => {
    const helped = qemuCommand(spec, { ...options, accelerator: "kvm" });
    expect(helped.slice(helped.indexOf("--groups"))[1]).toBe("110");
    expect(helped).not.toContain("--clear-groups");
    expect(qemuCommand(spec, options)).toContain("--clear-groups");
  });

  test("that is emulated may take more of the host's memory, for its translations", () => {
    expect(machineMemoryMb(512, "kvm")).toBeGreaterThan(512 + 200);
    expect(machineMemoryMb(512, "tcg") - machineMemoryMb(512, "kvm")).toBe(128);
  });
});
