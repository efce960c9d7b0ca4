import { z } from "zod";
import type { UserId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setUserBlocked } from "./set-blocked.ts";

export const blockUserInput = z.object({ userId: idField<UserId>() });

/** A blocked user is refused at the next sign-in; running sessions go on. */
export async function blockUser(context: Context, input: z.input<typeof blockUserInput>): Promise<void> {
  const { userId } = parseInput(blockUserInput, input);
  await setUserBlocked(context, userId, true);
}
