/**
 * A machine's cable. Only root may make one, so we do and the QEMU inherits it opened. It is not made to last:
 * the kernel takes it away with the QEMU that has it, whatever way that ends.
 */

import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import type { NetworkPort } from "../../domain/node/network-port.ts";
import { AppError } from "../../lib/errors.ts";
import { runOk } from "../../lib/run.ts";

const TUNSETIFF = 0x400454ca;
/** A tap whose packets come without a prefix of their own and with virtio's header. */
const FLAGS = 0x0002 | 0x1000 | 0x4000;
const REQUEST_BYTES = 40;
const NAME_BYTES = 16;

/** Makes the port's interface, plugged into the bridge and up. The descriptor returned is the caller's to close. */
export async function openTap(port: NetworkPort): Promise<number> {
  const descriptor = openDevice();
  try {
    const request = new Uint8Array(REQUEST_BYTES);
    request.set(new TextEncoder().encode(port.interfaceName));
    new DataView(request.buffer).setUint16(NAME_BYTES, FLAGS, true);
    if (ioctl(descriptor, TUNSETIFF, request) !== 0)
      throw new AppError(
        "driver-failed",
        `Making the tap ${port.interfaceName}: the kernel refused; is there an interface of this name?`,
      );
    const set = ["link", "set", port.interfaceName, "master", port.bridge, "up"];
    await runOk(`Plugging in the tap ${port.interfaceName}`, ["/usr/sbin/ip", ...set], { timeoutMs: 10_000 });
    return descriptor;
  } catch (cause) {
    closeSync(descriptor);
    throw cause;
  }
}

function openDevice(): number {
  try {
    return openSync("/dev/net/tun", "r+");
  } catch (cause) {
    throw new AppError(
      "driver-failed",
      "Making a tap for a virtual machine: /dev/net/tun can't be opened. Load the kernel's module tun (modprobe tun).",
      { cause },
    );
  }
}

/** Through bun:ffi, since no program of the system hands a tap on. It does not block. */
function ioctl(descriptor: number, request: number, data: Uint8Array): number {
  const { i32, u64, ptr: pointer } = FFIType;
  const library = dlopen("libc.so.6", { ioctl: { args: [i32, u64, pointer], returns: i32 } });
  try {
    return library.symbols.ioctl(descriptor, request, ptr(data));
  } finally {
    library.close();
  }
}
