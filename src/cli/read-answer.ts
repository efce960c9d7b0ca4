import { createInterface } from "node:readline/promises";
import { AppError } from "../lib/errors.ts";
import type { CommandIo } from "./command.ts";

/** What a person types at a prompt, echoed. Where nobody is there to ask, it throws and names the `option` that says it. */
export async function readAnswer(io: CommandIo, prompt: string, option: string): Promise<string> {
  if (!io.isTerminal) throw new AppError("bad-input", `there is no terminal to ask at: say ${option}`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await asking.question(prompt, { signal: io.signal });
  } catch (cause) {
    throw new AppError("bad-input", "given up", { cause });
  } finally {
    asking.close();
  }
}
