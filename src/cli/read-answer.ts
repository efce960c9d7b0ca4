import { createInterface } from "node:readline/promises";
import { AppError } from "../lib/errors.ts";
import type { CommandIo } from "./command.ts";

/** What a person types at a prompt, echoed. Throws where nobody is there to ask. */
export async function readAnswer(io: CommandIo, prompt: string): Promise<string> {
  if (!io.isTerminal)
    throw new AppError(
      "bad-input",
      `${prompt.replace(/[:?]\s*$/, "").trim()} must be said by an option: there is no terminal`,
    );
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await asking.question(prompt, { signal: io.signal });
  } catch (cause) {
    throw new AppError("bad-input", "given up", { cause });
  } finally {
    asking.close();
  }
}
