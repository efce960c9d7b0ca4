/** The folder of a screen server's socket, which was its user's until the server listened. As root. */

import { afterEach, describe, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { closePlace, isListening } from "../../src/guest/display/socket-place.ts";

const UID = 65534;
const cleanUps: (() => void)[] = [];

afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

function openPlace(): { readonly place: string; readonly socket: string } {
  const place = mkdtempSync("/tmp/qvd-screen-");
  cleanUps.push(() => rmSync(place, { recursive: true, force: true }));
  chownSync(place, UID, UID);
  return { place, socket: `${place}/rfb` };
}

function listen(path: string, uid: number): void {
  const server = Bun.listen({ unix: path, socket: { data: () => {} } });
  cleanUps.push(() => server.stop(true));
  chownSync(path, uid, uid);
}

describe("a screen server's socket", () => {
  test("is taken when it is the user's, and from then on nobody but root can come to it", () => {
    const { place, socket } = openPlace();
    listen(socket, UID);
    expect(closePlace({ folder: place, socket }, UID)).toBe(true);
    const { uid, mode } = statSync(place);
    expect([uid, mode & 0o777]).toEqual([0, 0o700]);
  });

  test("listens when it does, not when another does whose name ends like its", () => {
    const { socket } = openPlace();
    const likeIt = `${openPlace().place}/ ${socket}`;
    mkdirSync(dirname(likeIt), { recursive: true });
    listen(likeIt, UID);
    expect([isListening(likeIt), isListening(socket)]).toEqual([true, false]);
    listen(socket, UID);
    expect(isListening(socket)).toBe(true);
  });

  test.each([
    ["is missing", () => {}],
    ["is somebody else's", (socket: string) => listen(socket, 0)],
    ["is a file", (socket: string) => writeFileSync(socket, "")],
    [
      "is a link to another socket of the user's",
      (socket: string) => {
        const other = openPlace();
        listen(other.socket, UID);
        symlinkSync(other.socket, socket);
      },
    ],
  ])("is refused when it %s", (_why, make) => {
    const { place, socket } = openPlace();
    make(socket);
    expect(closePlace({ folder: place, socket }, UID)).toBe(false);
    expect(statSync(place).uid).toBe(0);
  });
});
