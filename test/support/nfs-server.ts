/** A real NFSv4 server (nfs-ganesha) on this machine, for guests that reach it as their gateway. */

import { mkdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { waitFor } from "../../src/lib/wait.ts";

export type NfsServer = {
  readonly port: number;
  /** What the guests see as /share. */
  readonly folder: string;
  stop(): Promise<void>;
};

export type NfsServerOptions = {
  readonly scratch: string;
  readonly port: number;
  /** Loopback where none is given: what guests reach as their gateway. */
  readonly address?: string;
  /** How long a client that fell silent keeps its locks. */
  readonly leaseSeconds: number;
};

export async function startNfsServer(options: NfsServerOptions): Promise<NfsServer> {
  const { scratch, port, address = "127.0.0.1", leaseSeconds } = options;
  const folder = `${scratch}/share`;
  await mkdir(folder, { recursive: true });
  const config = `${scratch}/ganesha.conf`;
  await writeFile(
    config,
    `NFS_CORE_PARAM { Protocols = 4; NFS_Port = ${port}; Bind_addr = ${address}; Enable_NLM = false; Enable_RQUOTA = false; }
NFSv4 { Graceless = true; Lease_Lifetime = ${leaseSeconds}; Minor_Versions = 1, 2; Only_Numeric_Owners = true; RecoveryBackend = fs; RecoveryRoot = "${scratch}/recovery"; }
EXPORT { Export_Id = 1; Path = ${folder}; Pseudo = /share; Access_Type = RW; Squash = No_Root_Squash; SecType = sys; Protocols = 4; FSAL { Name = VFS; } }
`,
  );
  await mkdir(`${scratch}/recovery`, { recursive: true });
  const child = Bun.spawn(
    [
      "/usr/bin/ganesha.nfsd",
      "-F",
      "-f",
      config,
      "-L",
      `${scratch}/ganesha.log`,
      "-p",
      `${scratch}/ganesha.pid`,
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
  );
  const answers = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, address, () => {
        socket.destroy();
        resolve(true);
      }).on("error", () => resolve(false));
    });
  if (!(await waitFor(answers, { timeoutMs: 20_000, everyMs: 200 })))
    throw new Error(`the NFS server doesn't answer; look at ${scratch}/ganesha.log`);
  return {
    port,
    folder,
    async stop() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
