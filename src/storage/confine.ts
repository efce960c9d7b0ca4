/**
 * The sandbox of programs that look at what strangers made: they see programs and libraries, read-only, and
 * nothing else of this machine; no other process, no network unless they fetch; an account that owns nothing
 * and no capability. What they read and write is handed to them as open descriptors. They die with us.
 */

export const SANDBOX_ACCOUNT = "qvd-image";

export type SandboxOptions = {
  readonly hasNetwork: boolean;
  readonly mostMemoryBytes: number;
};

/** Words in front of the program. The caller is root. */
export function sandbox(options: SandboxOptions): readonly string[] {
  return [
    ...["/usr/bin/bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ...(options.hasNetwork ? [] : ["--unshare-net"]),
    ...["--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"],
    ...[
      "--symlink",
      "usr/lib",
      "/lib",
      "--symlink",
      "usr/lib64",
      "/lib64",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
    ],
    // Folders that it makes by itself are for root only.
    ...["--perms", "0755", "--dir", "/etc", "--ro-bind", "/etc/passwd", "/etc/passwd"],
    ...["--ro-bind", "/etc/group", "/etc/group"],
    // Whom to trust, for those that fetch.
    ...(options.hasNetwork ? ["--ro-bind", "/etc/ssl", "/etc/ssl"] : []),
    ...[
      "--chdir",
      "/",
      "--cap-add",
      "CAP_SETUID",
      "--cap-add",
      "CAP_SETGID",
      "--cap-add",
      "CAP_SETPCAP",
      "--",
    ],
    // The first to go when memory runs out, unlike the node that began it.
    ...["/usr/bin/choom", "-n", "500", "--"],
    ...["/usr/bin/prlimit", `--as=${options.mostMemoryBytes}`, "--core=0", "--"],
    ...["/usr/bin/setpriv", `--reuid=${SANDBOX_ACCOUNT}`, `--regid=${SANDBOX_ACCOUNT}`, "--clear-groups"],
    ...["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"],
  ];
}
