/**
 * Where a recipe's script runs: inside the new root and nowhere else. A plain chroot holds nobody who is root of
 * the build's user namespace: such a one steps out of it, looks through /proc into the builder's processes, or asks
 * the builder itself over the socket that its hooks inherit. So the root is the script's only file system, it sees
 * its own processes only, has no network, and inherits neither descriptors nor environment.
 */

/** What a script that finishes a system does: whose files are whose, what they may, and accounts. */
const CAPABILITIES = [
  ...["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID", "SETPCAP"],
  ...["KILL", "SYS_CHROOT"],
];

const ENVIRONMENT =
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive";

/** Whatever the descriptor's number is: the shell closes none above nine. */
const CLOSE_INHERITED = "perl -MPOSIX -e 'POSIX::close($_) for 3..1023; exec @ARGV or exit 127'";

/** A line for the shell of mmdebstrap's hooks, which has the new root as `$1`. `script` is a path inside it. */
export function jailScript(script: string): string {
  return [
    `${CLOSE_INHERITED} /usr/bin/env -i ${ENVIRONMENT}`,
    // bubblewrap wants a /proc that shows itself, and the builder's is that of the builder's parents.
    "/usr/bin/unshare --mount --pid --fork --mount-proc --kill-child=KILL",
    "/usr/bin/bwrap --unshare-net --unshare-pid --unshare-ipc --unshare-uts --die-with-parent --new-session",
    '--bind "$1" / --proc /proc --dev /dev --chdir / --cap-drop ALL',
    ...CAPABILITIES.map((name) => `--cap-add CAP_${name}`),
    `/bin/sh ${script}`,
  ].join(" ");
}
