/**
 * A real Active Directory: Samba's domain controller in a root, a network and a tree of processes of its own, reached over a
 * cable. Nothing of it is this machine's: its accounts are rows of its own database.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { run, runOk } from "../../src/lib/run.ts";
import { waitFor } from "../../src/lib/wait.ts";
import { buildDebianRoot } from "./debian-root.ts";

export const AD_REALM = "ad.test";
export const AD_BASE = "DC=ad,DC=test";
export const AD_PASSWORD = "Correct-h0rse-battery";

export type AdPlace = {
  /** At most 8 characters: names the cable. */
  readonly instance: string;
  /** The beginning of two addresses, such as `172.29.13`: .1 is this machine's, .2 the controller's. */
  readonly network: string;
};

export type ActiveDirectory = {
  readonly address: string;
  /** PEM of the authority that signed its certificate, which names its address. */
  readonly ca: string;
  /** Runs samba-tool and returns what it printed. */
  readonly tool: (...words: readonly string[]) => Promise<string>;
  /** Changes entries, as LDIF. */
  readonly modify: (ldif: string) => Promise<void>;
  readonly destroy: () => Promise<void>;
};

const PACKAGES = [
  ...["samba", "samba-ad-provision", "samba-dsdb-modules", "samba-vfs-modules", "winbind"],
  ...["ldb-tools", "iproute2", "procps"],
];
/** Containers often let nobody set the attributes that Samba keeps access lists in. */
const ATTRIBUTES_IN_A_FILE = [
  "--option=vfs objects = dfs_samba4 acl_xattr xattr_tdb",
  "--option=xattr_tdb:file = /var/lib/samba/xattr.tdb",
];

/** Takes a quarter of a minute; the first call three minutes more. */
export async function startActiveDirectory({ instance, network }: AdPlace): Promise<ActiveDirectory> {
  const folder = await mkdtemp(`/var/tmp/qvd-${instance}-`);
  const root = `${folder}/root`;
  const archive = await buildDebianRoot({ name: "active-directory", packages: PACKAGES, variant: "minbase" });
  await runOk("unpack the controller", ["mkdir", root]);
  await runOk("unpack the controller", ["tar", "-C", root, "-xf", archive], { timeoutMs: 120_000 });
  const address = `${network}.2`;
  await writeFile(`${root}/etc/hosts`, `127.0.0.1 localhost\n${address} dc1.${AD_REALM} dc1\n`);
  await writeFile(`${root}/etc/resolv.conf`, "nameserver 127.0.0.1\n");
  await rm(`${root}/etc/samba/smb.conf`, { force: true });
  const ca = await makeCertificate(`${root}/var/lib`, address);
  // The first process holds the namespaces; all others enter them, and go with it.
  const space = [
    "unshare",
    "--mount",
    "--pid",
    "--net",
    "--uts",
    "--ipc",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  const prepare = [
    "hostname dc1",
    "ip link set lo up",
    `mount --rbind /dev ${root}/dev`,
    `mount -t proc proc ${root}/proc`,
    `mount -t tmpfs tmpfs ${root}/run`,
    `mkdir ${root}/run/samba`,
    "exec sleep infinity",
  ];
  const holder = Bun.spawn([...space, "sh", "-ec", prepare.join(" && ")], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const near = `${instance}c0`;
  const destroy = async () => {
    holder.kill("SIGKILL");
    await holder.exited;
    await run(["ip", "link", "del", near]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const init = await findChild(holder.pid);
    const enter = ["nsenter", `--target=${init}`, "--mount", "--pid", "--net", "--uts", "--ipc"];
    const inside = (...words: readonly string[]) =>
      runOk(`run ${words[0]}`, [...enter, "chroot", root, ...words], { timeoutMs: 120_000 });
    const isReady = async () => (await run([...enter, "test", "-d", `${root}/run/samba`])).exitCode === 0;
    await waitFor(isReady, { timeoutMs: 10_000, everyMs: 50 });
    await plugCable({ near, far: `${instance}c1`, network, init, enter });
    await inside(
      ...["samba-tool", "domain", "provision", `--realm=${AD_REALM}`, "--domain=AD", "--server-role=dc"],
      ...["--dns-backend=SAMBA_INTERNAL", `--adminpass=${AD_PASSWORD}`, ...ATTRIBUTES_IN_A_FILE],
      ...[
        "tls keyfile = /var/lib/tls.key",
        "tls certfile = /var/lib/tls.crt",
        "tls cafile = /var/lib/ca.crt",
      ].map((line) => `--option=${line}`),
    );
    Bun.spawn([...enter, "chroot", root, "samba", "--foreground", "--no-process-group", "--model=single"], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const isUp = async () =>
      (
        await run([
          "ldapsearch",
          "-x",
          "-H",
          `ldap://${address}`,
          "-s",
          "base",
          "-b",
          "",
          "-o",
          "nettimeout=2",
        ])
      ).exitCode === 0;
    if ((await waitFor(isUp, { timeoutMs: 60_000, everyMs: 200 })) !== true)
      throw new Error("the controller does not answer");
    return {
      address,
      ca,
      tool: (...words) => inside("samba-tool", ...words),
      modify: async (ldif) => {
        await writeFile(`${root}/var/lib/change.ldif`, ldif);
        await inside("ldbmodify", "-H", "/var/lib/samba/private/sam.ldb", "/var/lib/change.ldif");
      },
      destroy,
    };
  } catch (error) {
    await destroy();
    throw error;
  }
}

async function plugCable(cable: {
  readonly near: string;
  readonly far: string;
  readonly network: string;
  readonly init: number;
  readonly enter: readonly string[];
}): Promise<void> {
  const { near, far, network, init, enter } = cable;
  const ip = (...words: readonly string[]) => runOk("plug the cable", ["ip", ...words]);
  await ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", String(init));
  await ip("address", "add", `${network}.1/30`, "dev", near);
  await ip("link", "set", near, "up");
  await runOk("plug the cable", [...enter, "ip", "address", "add", `${network}.2/30`, "dev", far]);
  await runOk("plug the cable", [...enter, "ip", "link", "set", far, "up"]);
}

async function findChild(parent: number): Promise<number> {
  const read = async () =>
    Number((await Bun.file(`/proc/${parent}/task/${parent}/children`).text()).trim()) || undefined;
  const child = await waitFor(read, { timeoutMs: 5_000, everyMs: 10 });
  if (child === undefined) throw new Error("the controller's namespaces were not made");
  return child;
}

async function makeCertificate(folder: string, address: string): Promise<string> {
  const key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"];
  await runOk("make an authority", [
    ...["openssl", "req", "-x509", ...key, "-subj", "/CN=Domain authority"],
    ...["-keyout", `${folder}/ca.key`, "-out", `${folder}/ca.crt`],
  ]);
  await runOk("make a certificate", [
    ...["openssl", "req", "-x509", ...key, "-subj", `/CN=dc1.${AD_REALM}`],
    ...["-addext", `subjectAltName=DNS:dc1.${AD_REALM},IP:${address}`],
    ...[
      "-addext",
      "basicConstraints=critical,CA:FALSE",
      "-CA",
      `${folder}/ca.crt`,
      "-CAkey",
      `${folder}/ca.key`,
    ],
    ...["-keyout", `${folder}/tls.key`, "-out", `${folder}/tls.crt`],
  ]);
  await runOk("close the key", ["chmod", "600", `${folder}/tls.key`]);
  return await Bun.file(`${folder}/ca.crt`).text();
}
