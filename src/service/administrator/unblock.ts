import { z } from "zod";
import type { AdministratorId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setAdministratorBlocked } from "./set-blocked.ts";

export const unblockAdministratorInput = z.object({ administratorId: idField<AdministratorId>() });

/** They have to sign in again. */
export async function unblockAdministrator(
  context: Context,
  input: z.input<typeof unblockAdministratorInput>,
): Promise<void> {
  const { administratorId } = parseInput(unblockAdministratorInput, input);
  await setAdministratorBlocked(context, administratorId, false);
}
