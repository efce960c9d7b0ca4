import { describe, expect, test } from "bun:test";
import { AppError } from "../lib/errors.ts";
import type { Command, CommandIo } from "./command.ts";
import type { CommandEntry } from "./commands.ts";
import { runCommand } from "./run-command.ts";

const entry = (name: string, run: Command["run"], options: Command["options"] = {}): CommandEntry => {
  const command: Command = { name, summary: `Summary of ${name}.`, exitCodes: { 7: "seven" }, options, run };
  return { name, summary: command.summary, load: async () => command };
};

const entries = [
  entry("thing do", async (io) => {
    io.out("done\n");
    return 7;
  }),
  entry("thing refuse", async () => {
    throw new AppError("conflict", "do the thing: it is done already", {
      cause: new Error("the inner reason"),
    });
  }),
  entry("thing fetch", async () => {
    throw new AppError("unavailable", "fetch the thing", { cause: new Error("the inner reason") });
  }),
  entry("thing break", async () => {
    throw new TypeError("of undefined");
  }),
  entry("thing wait", async (io) => {
    io.signal.throwIfAborted();
    return 0;
  }),
  entry(
    "thing size",
    async () => {
      throw new AppError("bad-input", "memoryMb: must be a number", { field: "memoryMb" });
    },
    { memory: { type: "text", doc: "Its size.", field: "memoryMb" } },
  ),
  entry("version", async (io) => {
    io.out("1\n");
    return 0;
  }),
];

async function attempt(...given: readonly (string | Partial<CommandIo>)[]) {
  const words = given.filter((each) => typeof each === "string");
  const said = { out: "", err: "" };
  const io: CommandIo = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    env: {},
    isTerminal: false,
    signal: new AbortController().signal,
    ...given.find((each) => typeof each !== "string"),
  };
  const code = await runCommand(entries, words, io);
  return { code, ...said };
}

describe("qvd", () => {
  test("returns the command's exit code, data on stdout", async () => {
    expect(await attempt("thing", "do")).toEqual({ code: 7, out: "done\n", err: "" });
  });

  test("says an expected failure as a sentence with its reasons", async () => {
    const { code, err } = await attempt("thing", "refuse");
    expect(code).toBe(1);
    expect(err).toBe("qvd: do the thing: it is done already\n");
    expect((await attempt("thing", "fetch")).err).toBe("qvd: fetch the thing\n  because: the inner reason\n");
  });

  test("names the option that the API calls by another name", async () => {
    const { code, err } = await attempt("thing", "size", "--memory", "x");
    expect(code).toBe(2);
    expect(err).toBe("qvd: --memory: must be a number\n");
  });

  test("says that a signal ended a command, not that the program is at fault", async () => {
    const ended = new AbortController();
    ended.abort("SIGTERM");
    const { code, err } = await attempt("thing", "wait", { signal: ended.signal });
    expect(code).toBe(1);
    expect(err).toBe("qvd: ended by SIGTERM\n");
  });

  test("says of an unknown option just that", async () => {
    const { code, err } = await attempt("thing", "do", "--loud");
    expect(code).toBe(2);
    expect(err).toBe("qvd: qvd thing do: Unknown option '--loud'; see `qvd thing do --help`\n");
  });

  test("says a fault of the program as one, with a stack", async () => {
    const { code, err } = await attempt("thing", "break");
    expect(code).toBe(1);
    expect(err).toContain("a fault of the program");
    expect(err).toContain("TypeError");
  });

  test("without words shows the overview on stderr, as wrong usage", async () => {
    const { code, out, err } = await attempt();
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("thing do");
  });

  test.each([["--help"], ["help"], ["-h"]])("%s shows the overview on stdout", async (word) => {
    const { code, out } = await attempt(word);
    expect(code).toBe(0);
    expect(out).toContain("Summary of thing refuse.");
  });

  test("shows a group's commands, as wrong usage unless help was asked for", async () => {
    expect((await attempt("thing")).code).toBe(2);
    const { code, out } = await attempt("thing", "--help");
    expect(code).toBe(0);
    expect(out).toContain("thing break");
    expect(out).not.toContain("version");
  });

  test("explains one command, its own exit codes too", async () => {
    const { code, out } = await attempt("thing", "do", "--help");
    expect(code).toBe(0);
    expect(out).toContain("Usage: qvd thing do");
    expect(out).toContain("7  seven");
  });

  test("refuses what is no command and says what may have been meant", async () => {
    const { code, err } = await attempt("thing", "dooo");
    expect(code).toBe(2);
    expect(err).toContain("did you mean `qvd thing do`");
  });

  test("takes --version as the command", async () => {
    expect((await attempt("--version")).out).toBe("1\n");
  });
});
