/** What a benchmark of one person's desktop plays on: a box with that person, and a screen to see it on. */

import type { BenchIo, Figure } from "./bench.ts";
import { type BenchBox, openBenchBox, type Person } from "./box.ts";
import { SCREEN_SIZE, type Visit, visitDesktop } from "./nx-round.ts";
import { openScreen, type Screen } from "./screen.ts";

/** Packages of Debian that the client's part needs. */
export const STAGE_NEEDS: readonly string[] = ["nxproxy", "xvfb", "openbox", "x11-apps"];

export type Stage = {
  readonly box: BenchBox;
  readonly screen: Screen;
  readonly person: Person;
  /** Connects and sees the desktop; the caller leaves. */
  visit(): Promise<Visit>;
};

/** Sets the stage for as long as `play` runs, and strikes it whatever happens. */
export async function onStage(
  io: BenchIo,
  instance: string,
  play: (stage: Stage) => Promise<Figure[]>,
): Promise<Figure[]> {
  const box = await openBenchBox(io, { instance, people: 1 });
  const screen = await openScreen(SCREEN_SIZE);
  try {
    const [person] = box.people;
    if (person === undefined) throw new Error("the box has nobody");
    const visit = () => visitDesktop(screen, box.whoIs(person), box.colour);
    return await play({ box, screen, person, visit });
  } finally {
    await screen.close();
    await box.close();
  }
}
