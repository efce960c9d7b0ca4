import type { VmId } from "../../../domain/ids.ts";
import { AppError, isAppError } from "../../../lib/errors.ts";
import type { Context } from "../../../service/context.ts";
import { wishVmRunning } from "../../../service/vm/wish-running.ts";

export const BLOCKED = "a desktop that is blocked does not start; unblock it first";

/** Says to administrators what they can do about it where a client is told the protocol's words. */
export async function startDesktop(context: Context, vmId: VmId): Promise<void> {
  try {
    await wishVmRunning(context, { vmId });
  } catch (cause) {
    if (!isAppError(cause) || cause.code !== "blocked") throw cause;
    throw new AppError("blocked", "a desktop that is blocked doesn't start; unblock it first", { cause });
  }
}
