import { z } from "zod";
import type { UserId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setUserBlocked } from "./set-blocked.ts";

export const unblockUserInput = z.object({ userId: idField<UserId>() });

export async function unblockUser(context: Context, input: z.input<typeof unblockUserInput>): Promise<void> {
  const { userId } = parseInput(unblockUserInput, input);
  await setUserBlocked(context, userId, false);
}
