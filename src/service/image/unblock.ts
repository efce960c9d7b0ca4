import { z } from "zod";
import type { DiId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setImageBlocked } from "./set-blocked.ts";

export const unblockImageInput = z.object({ diId: idField<DiId>() });

export async function unblockImage(
  context: Context,
  input: z.input<typeof unblockImageInput>,
): Promise<void> {
  const { diId } = parseInput(unblockImageInput, input);
  await setImageBlocked(context, diId, false);
}
