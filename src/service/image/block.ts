import { z } from "zod";
import type { DiId } from "../../domain/ids.ts";
import type { Context } from "../context.ts";
import { idField, parseInput } from "../input.ts";
import { setImageBlocked } from "./set-blocked.ts";

export const blockImageInput = z.object({ diId: idField<DiId>() });

/** No desktop starts from a blocked image; those that run on it go on. */
export async function blockImage(context: Context, input: z.input<typeof blockImageInput>): Promise<void> {
  const { diId } = parseInput(blockImageInput, input);
  await setImageBlocked(context, diId, true);
}
