import { afterAll, beforeAll } from "bun:test";
import { type DirectoryServerLab, seedDirectory, startDirectory } from "./directory-server.ts";

/** One seeded OpenLDAP server for the tests of a file; what is returned gives it once they run. */
export function useDirectory(): () => DirectoryServerLab {
  let directory: DirectoryServerLab | undefined;
  beforeAll(async () => {
    directory = await startDirectory(seedDirectory());
  }, 60_000);
  afterAll(() => directory?.destroy());
  return () => {
    if (directory === undefined) throw new Error("the directory is started before the first test");
    return directory;
  };
}
