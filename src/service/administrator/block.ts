import { z } from "zod";
import type { AdministratorId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setAdministratorBlocked } from "./set-blocked.ts";

export const blockAdministratorInput = z.object({ administratorId: idField<AdministratorId>() });

/** Their sign-ins end, and with these what they see of others' screens. */
export async function blockAdministrator(
  context: Context,
  input: z.input<typeof blockAdministratorInput>,
): Promise<void> {
  const { administratorId } = parseInput(blockAdministratorInput, input);
  await setAdministratorBlocked(context, administratorId, true);
}
