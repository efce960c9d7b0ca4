/**
 * Writes to the standard input of a child that may end before it has read all: nobody else would hear of the promises that Bun
 * then breaks, and the agent would end by them.
 */

type Input = {
  /** `true`, against its type, once nobody reads any more. */
  write(bytes: Uint8Array | string): unknown;
  flush(): unknown;
  end(): unknown;
};

/** Resolves when the child can take more; undefined when it can now, or never will again. */
export function feedChild(
  input: Pick<Input, "write">,
  bytes: Uint8Array | string,
): Promise<void> | undefined {
  return settled(input.write(bytes));
}

/** Has it what was written, at once. */
export function flushInput(input: Pick<Input, "flush">): void {
  void settled(input.flush());
}

/** What it has not taken yet is still given. May be called again. */
export function endInput(input: Pick<Input, "end">): void {
  void settled(input.end());
}

function settled(outcome: unknown): Promise<void> | undefined {
  if (!(outcome instanceof Promise)) return undefined;
  const over = () => {};
  return outcome.then(over, over);
}
