/**
 * The few system calls that no program of the system offers: id-mapped binds (util-linux learns them after
 * Debian 12) and a lock that ends with our process. Called through bun:ffi, which its manual calls
 * experimental, so all of it is here: the mount calls, flock, and ioctl for loop devices; none of them blocking.
 */

import { dlopen, FFIType, ptr, read } from "bun:ffi";
import { getSystemErrorMap } from "node:util";
import { AppError } from "../lib/errors.ts";

export type MountAttributes = {
  readonly isReadOnly?: boolean;
  readonly allowsSetuid?: boolean;
  /** Descriptor of the user namespace whose map is applied to the mount. */
  readonly userNamespace?: number;
};

export type NewMount = {
  readonly type: "overlay";
  /** What the list of mounts calls it. */
  readonly source: string;
  readonly target: string;
  /** As the file system reads them. */
  readonly options: string;
};

export interface Libc {
  /** A detached copy of the mount below `path`; the descriptor returned is the caller's to close. */
  openTree(path: string): number;
  /** Always adds nodev, and nosuid where setuid programs aren't allowed. */
  setMountAttributes(tree: number, attributes: MountAttributes): void;
  moveMount(tree: number, target: string): void;
  /** Mounts a new file system; flags are those that every desktop's has (nodev). `driver-failed` names the kernel's error. */
  mount(what: NewMount): void;
  /** False when another holds the lock. The lock ends when the descriptor is closed, however that happens. */
  tryLock(descriptor: number): boolean;
  /** What the kernel answers; its error as a negative number. Bytes may be written to by the kernel. */
  ioctl(descriptor: number, request: number, argument: number | Uint8Array): number;
}

// The same on every architecture that Bun runs on: calls newer than 2019 share one numbering.
const SYS_OPEN_TREE = 428n;
const SYS_MOVE_MOUNT = 429n;
const SYS_MOUNT_SETATTR = 442n;

const AT_FDCWD = -100n;
const AT_EMPTY_PATH = 0x1000n;
const OPEN_TREE_CLONE = 1n;
const O_CLOEXEC = 0x80000n;
const MOVE_MOUNT_F_EMPTY_PATH = 4n;
const MOUNT_ATTR_RDONLY = 0x1n;
const MOUNT_ATTR_NOSUID = 0x2n;
const MOUNT_ATTR_NODEV = 0x4n;
const MOUNT_ATTR_IDMAP = 0x100000n;
const MS_NODEV = 4n;
const LOCK_EX_NB = 2 | 4;
const EWOULDBLOCK = 11;
const ENOSPC = 28;
const EDQUOT = 122;

/** Opens the C library. Cheap, but made once and handed on. */
export function openLibc(): Libc {
  const symbols = loadSymbols();
  // Right after the call, before the engine can make another on this thread.
  const errno = () => {
    const address = symbols.__errno_location();
    return address === null ? 0 : read.i32(address, 0);
  };
  const call = (what: string, number: bigint, args: readonly bigint[]): number => {
    const [one = 0n, two = 0n, three = 0n, four = 0n, five = 0n] = args;
    const result = symbols.syscall(number, one, two, three, four, five);
    if (Number(result) < 0) throw new AppError("driver-failed", `${what}: error ${errno()} from the kernel`);
    return Number(result);
  };
  return {
    openTree: (path) =>
      withText(path, (text) =>
        call(`copying the mount of ${path}`, SYS_OPEN_TREE, [AT_FDCWD, text, OPEN_TREE_CLONE | O_CLOEXEC]),
      ),
    setMountAttributes(tree, attributes) {
      const bytes = encodeAttributes(attributes);
      withText("", (text) =>
        call("setting the attributes of a mount", SYS_MOUNT_SETATTR, [
          BigInt(tree),
          text,
          AT_EMPTY_PATH,
          BigInt(ptr(bytes)),
          BigInt(bytes.byteLength),
        ]),
      );
    },
    moveMount: (tree, target) =>
      void withText("", (from) =>
        withText(target, (to) =>
          call(`mounting at ${target}`, SYS_MOVE_MOUNT, [
            BigInt(tree),
            from,
            AT_FDCWD,
            to,
            MOVE_MOUNT_F_EMPTY_PATH,
          ]),
        ),
      ),
    mount: ({ type, source, target, options }) =>
      withText(type, (kind) =>
        withText(source, (from) =>
          withText(target, (to) =>
            withText(options, (data) => {
              if (symbols.mount(from, to, kind, MS_NODEV, data) === 0) return;
              const text = describeErrno(errno());
              throw new AppError("driver-failed", `mounting ${source} at ${target}: ${text}`);
            }),
          ),
        ),
      ),
    tryLock(descriptor) {
      if (symbols.flock(descriptor, LOCK_EX_NB) === 0) return true;
      const fault = errno();
      if (fault === EWOULDBLOCK) return false;
      throw new AppError("driver-failed", `locking a file: error ${fault} from the kernel`);
    },
    ioctl(descriptor, request, argument) {
      const value = typeof argument === "number" ? BigInt(argument) : BigInt(ptr(argument));
      const result = symbols.ioctl(descriptor, BigInt(request), value);
      return result < 0 ? -errno() : result;
    },
  };
}

function loadSymbols() {
  const { i64, i32, pointer } = FFIType;
  return dlopen("libc.so.6", {
    syscall: { args: [i64, i64, i64, i64, i64, i64], returns: i64 },
    flock: { args: [i32, i32], returns: i32 },
    ioctl: { args: [i32, i64, i64], returns: i32 },
    mount: { args: [i64, i64, i64, i64, i64], returns: i32 },
    __errno_location: { args: [], returns: pointer },
  }).symbols;
}

/** In the words of the C library where somebody looks for them (`isFullDisk`). */
function describeErrno(code: number): string {
  const [, text] = getSystemErrorMap().get(-code) ?? [];
  const words = code === ENOSPC ? "No space left on device" : code === EDQUOT ? "Disk quota exceeded" : text;
  return words === undefined ? `error ${code} from the kernel` : `${words} (error ${code} from the kernel)`;
}

/** `struct mount_attr`: attr_set, attr_clr, propagation, userns_fd, each 64 bits. */
function encodeAttributes(attributes: MountAttributes): BigUint64Array {
  let set = MOUNT_ATTR_NODEV;
  if (!attributes.allowsSetuid) set |= MOUNT_ATTR_NOSUID;
  if (attributes.isReadOnly) set |= MOUNT_ATTR_RDONLY;
  if (attributes.userNamespace !== undefined) set |= MOUNT_ATTR_IDMAP;
  return new BigUint64Array([set, 0n, 0n, BigInt(attributes.userNamespace ?? 0)]);
}

/** Hands over the address of `text` as a C string that lives until `use` returns. */
function withText<T>(text: string, use: (address: bigint) => T): T {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const result = use(BigInt(ptr(bytes)));
  // Read again, so that the engine can't have collected the bytes during the call.
  if (bytes.byteLength === 0) throw new Error("a C string has at least its end");
  return result;
}
