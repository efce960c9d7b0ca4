/**
 * OpenSSH's sftp-server for one folder. It knows no bounds itself: whoever speaks to it reads all that its user may. So it runs
 * in a file system of its own (bubblewrap), which holds the folder, the program and its libraries and nothing else; a link that
 * leads out of the folder leads to nothing. No network, no other processes.
 */

import { existsSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { AppError } from "../../lib/errors.ts";
import { run } from "../../lib/run.ts";

export type Share = {
  /** Absolute. */
  readonly path: string;
  readonly isReadOnly: boolean;
};

/** Debian, Fedora, Arch, SUSE. */
const SERVERS = [
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  "/usr/lib/ssh/sftp-server",
  "/usr/libexec/ssh/sftp-server",
];
/** Where the folder lies inside; what its name is there is the desktop's to say. */
const INSIDE = "/share";
/**
 * A desktop makes no links: the person's own programs would follow them, out of the folder.
 */
const DENIED = "symlink,hardlink";

/** Throws `bad-input` for what can't be shared. `home` is the person's. */
export function parseShare(
  text: string,
  { isReadOnly, home = homedir() }: { readonly isReadOnly: boolean; readonly home?: string },
): Share {
  const path = resolve(text.replace(/^~(?=\/|$)/, home));
  const refuse = (why: string) => {
    throw new AppError("bad-input", `--share ${text}: ${why}`, { field: "share" });
  };
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) refuse("there is no such folder");
  if (path === "/" || home === path || home.startsWith(`${path}/`))
    refuse("a desktop would get your keys and settings with it; share a folder inside your home");
  // It is read as a line of a request.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(path)) refuse("its name holds a control character");
  return { path, isReadOnly };
}

/** The words that start the server of a share, speaking on its standard input and output. `folder` is this user's alone. */
export async function buildJail(share: Share, folder: string): Promise<readonly string[]> {
  const server = SERVERS.find((path) => existsSync(path));
  if (server === undefined) throw lacks("no sftp-server", "openssh-sftp-server");
  if (Bun.which("bwrap") === null)
    throw lacks("no bubblewrap, which keeps a desktop inside the folder that you share", "bubblewrap");
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const passwd = join(folder, "passwd");
  // sftp-server wants to know its user.
  writeFileSync(passwd, `person:x:${uid}:${gid}::${INSIDE}:/bin/false\n`, { mode: 0o600 });
  const files = [server, ...(await listLibraries(server))].flatMap((path) => ["--ro-bind", path, path]);
  const command = [
    ...["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...[...files, "--ro-bind", passwd, "/etc/passwd", "--dev-bind", "/dev/null", "/dev/null"],
    ...[
      share.isReadOnly ? "--ro-bind" : "--bind",
      share.path,
      INSIDE,
      "--chdir",
      INSIDE,
      "--remount-ro",
      "/",
    ],
    ...["--", server, "-d", INSIDE, "-P", DENIED, ...(share.isReadOnly ? ["-R"] : [])],
  ];
  return command;
}

/** Tries it with a question that it answers by itself. Throws `driver-failed` where this system doesn't let us. */
export async function requireJail(share: Share, folder: string): Promise<void> {
  const command = await buildJail(share, folder);
  const { exitCode, stderr } = await run([...command, "-Q", "requests"], { timeoutMs: 10_000 });
  if (exitCode === 0) return;
  const said = stderr.trim().split("\n")[0] ?? "";
  throw new AppError(
    "driver-failed",
    `${basename(share.path)} can't be shared, since a desktop couldn't be kept inside it: ${said}. The system must let users make namespaces (user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)`,
  );
}

/** The absolute paths that `ldd` names; none for a static program. */
async function listLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await run(["ldd", program], { timeoutMs: 10_000 });
  return stdout.split("\n").flatMap((line) => /(?:^\s*|=> )(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

function lacks(what: string, debian: string): AppError {
  return new AppError(
    "driver-failed",
    `folders can't be shared: ${what}: install it (Debian: apt install ${debian})`,
  );
}
