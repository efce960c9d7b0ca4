/** A program of the broker's bench: what it prints, line by line, until it is ended. */

export type Program = {
  readonly pid: number;
  /** Resolves with the words of its next line. */
  readonly line: () => Promise<string[]>;
  /** Its standard input ends; for those that end with it. */
  readonly finish: () => Promise<void>;
  readonly end: () => Promise<void>;
  /** The same for one that cleans up. */
  readonly stop: () => Promise<void>;
};

export function startProgram(command: string[]): Program {
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  let text = "";
  return {
    pid: child.pid,
    line: async () => {
      for (;;) {
        const end = text.indexOf("\n");
        if (end !== -1) {
          const line = text.slice(0, end);
          text = text.slice(end + 1);
          return line.split(" ");
        }
        const { value, done } = await reader.read();
        if (done) throw new Error(`${command.join(" ")} ended`);
        text += new TextDecoder().decode(value);
      }
    },
    finish: async () => {
      await child.stdin.end();
    },
    end: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}
