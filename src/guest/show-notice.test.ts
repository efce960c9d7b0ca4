import { describe, expect, test } from "bun:test";
import { listNoticeCommands, type NoticeWorld, showNotice } from "./show-notice.ts";

const ANNA = { login: "anna", uid: 2001 };
const TEXT = "There is a newer version of this desktop. Please save your work and shut it down.";

function imageWith(programs: readonly string[], codes: Readonly<Record<string, number>> = {}) {
  const started: string[] = [];
  const world: NoticeWorld = {
    which: (program) => (programs.includes(program) ? `/usr/bin/${program}` : null),
    start: async (command) => {
      const program = command.find((word) => word.startsWith("/usr/bin/"))?.slice("/usr/bin/".length) ?? "";
      started.push(program);
      return codes[program];
    },
  };
  return { world, started };
}

describe("a notice", () => {
  test("is a window of the best program that the image has", async () => {
    const { world, started } = imageWith(["xmessage", "zenity", "wall"]);
    expect(await showNotice(TEXT, ANNA, world)).toBe(true);
    expect(started).toEqual(["zenity"]);
  });

  test("is tried with the next program when one fails", async () => {
    const { world, started } = imageWith(["xmessage", "zenity"], { zenity: 1 });
    expect(await showNotice(TEXT, ANNA, world)).toBe(true);
    expect(started).toEqual(["zenity", "xmessage"]);
  });

  test("goes to the terminals where there is no session or no window", async () => {
    const { world, started } = imageWith(["xmessage", "wall"], { wall: 0 });
    expect(await showNotice(TEXT, undefined, world)).toBe(true);
    expect(started).toEqual(["wall"]);
  });

  test("that nobody can be shown is said to have failed", async () => {
    expect(await showNotice(TEXT, ANNA, imageWith([]).world)).toBe(false);
    expect(await showNotice(TEXT, ANNA, imageWith(["xmessage"], { xmessage: 1 }).world)).toBe(false);
  });

  test("runs as the person, on their display, with nothing of root's environment", () => {
    const [command = []] = listNoticeCommands(TEXT, ANNA, imageWith(["xmessage"]).world.which);
    expect(command).toContain("--reuid=2001");
    expect(command).toContain("--clear-groups");
    expect(command).toContain("DISPLAY=:100");
    expect(command.slice(command.indexOf("env"))[1]).toBe("-i");
  });

  test("is broken into lines that fit a screen, and loses no word", () => {
    const [command = []] = listNoticeCommands(TEXT, ANNA, imageWith(["xmessage"]).world.which);
    const shown = command.at(-1) ?? "";
    expect(shown.split("\n").every((line) => line.length <= 60)).toBe(true);
    expect(shown.replaceAll("\n", " ")).toBe(TEXT);
  });
});
