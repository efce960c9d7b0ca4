/** A real desktop as a browser is shown it: by the door that its agent opens, without the broker. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { waitFor } from "../../src/lib/wait.ts";
import {
  createGuestChannels,
  type GuestChannels,
  type PrepareRequest,
} from "../../src/node/guest-channel/guest-channels.ts";
import { formatDisplayLine } from "../../src/wire/display/control.ts";
import { DISPLAY_PORT, type DisplayChannel, formatDisplayHello } from "../../src/wire/display/hello.ts";
import { buildDisplayRoot } from "../support/display-root.ts";
import { PictureViewer } from "../support/picture-viewer.ts";
import { RfbViewer } from "../support/rfb-viewer.ts";
import { createGuestLab, createScreen, type GuestLab } from "./guest-lab.ts";

const PLACE = { instance: "dsplab", network: "172.29.7", screen: ":94" };
const BACKGROUND = 0x204080;
const WINDOW = 0xc02040;
const KEY = "abcdefghijklmnop";
const REQUEST: PrepareRequest = {
  session: 1,
  account: { login: "bea", uid: 2001, fullName: "Bea" },
  client: { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1000x700", isFullscreen: false },
  accept: `${PLACE.network}.1`,
  slaveKey: KEY,
  access: "browser",
};

let lab: GuestLab;
let channels: GuestChannels;
let attachments = 0;

beforeAll(async () => {
  lab = await createGuestLab({ place: PLACE, archive: await buildDisplayRoot(), hasSession: true });
  channels = createGuestChannels({
    log: silentLog(),
    clock: systemClock,
    onEvent: (_vmId, { type }) => {
      if (type === "attached") attachments++;
    },
  });
  channels.open(lab.vmId, { socketPath: lab.socketPath, ownerUid: lab.ownerUid });
  await lab.start();
  await waitFor(() => channels.read(lab.vmId)?.address !== null, { timeoutMs: 60_000, everyMs: 20 });
}, 660_000);

afterAll(async () => {
  channels?.closeAll();
  await lab?.stop();
}, 180_000);

function view(channel: DisplayChannel = "rfb", key = KEY): Promise<RfbViewer> {
  const hello = formatDisplayHello({ key, channel, argument: "" });
  return RfbViewer.open({ hostname: `${PLACE.network}.10`, port: DISPLAY_PORT, hello });
}

async function sees(viewer: RfbViewer, colour: number, atLeast: number): Promise<boolean> {
  const isThere = async () => (await viewer.look()).count(colour) >= atLeast;
  return (await waitFor(isThere, { timeoutMs: 60_000, everyMs: 50 })) === true;
}

/** Until its agent has seen that it is over, too. */
const takeAway = (program: string) =>
  lab.inside(
    `mv /usr/bin/${program} /root; pkill -KILL -x ${program}; while pgrep -x ${program}; do sleep 0.05; done; sleep 0.2`,
  );
const giveBack = (program: string) => lab.inside(`mv /root/${program} /usr/bin`);

// The tests are the chapters of one desktop's life, in this order.
describe("a desktop that is first seen by a browser", () => {
  test("is ready in the size of the browser's window", async () => {
    await channels.prepareSession(lab.vmId, REQUEST);
    expect(channels.read(lab.vmId)).toMatchObject({ xState: "suspended", session: 1 });
    const viewer = await view();
    expect(viewer.size).toEqual({ width: 1000, height: 700 });
    expect(await sees(viewer, BACKGROUND, 300_000)).toBe(true);
    expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
    viewer.close();
  });

  test("closes the door to whoever doesn't know the session's key", async () => {
    await expect(view("rfb", "abcdefghijklmnoq")).rejects.toThrow("closed");
  });

  test("is served by x11vnc in an image from before", async () => {
    await takeAway("X0tigervnc");
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 1 });
    expect(await lab.inside("pgrep -x x11vnc")).toMatch(/[0-9]/);
    const viewer = await view();
    expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
    viewer.click(300, 300);
    await waitFor(() => false, { timeoutMs: 600 });
    viewer.type("ñ 漢\n");
    const lastLine = () => lab.inside("tail -n 1 /home/bea/typed");
    expect(await waitFor(async () => (await lastLine()) === "ñ 漢", { timeoutMs: 60_000, everyMs: 50 })).toBe(
      true,
    );
    viewer.close();
    await giveBack("X0tigervnc");
    await takeAway("x11vnc");
    await giveBack("x11vnc");
    await channels.prepareSession(lab.vmId, REQUEST);
  });

  test("takes what is typed, whatever the server's layout", async () => {
    const viewer = await view();
    await viewer.look();
    viewer.click(300, 300);
    await waitFor(() => false, { timeoutMs: 300 });
    viewer.type("ñ ç ã ü ß € â Ñ 漢\n");
    const typed = () => lab.inside("tail -n 1 /home/bea/typed");
    expect(
      await waitFor(async () => (await typed()) === "ñ ç ã ü ß € â Ñ 漢", { timeoutMs: 60_000, everyMs: 50 }),
      await typed(),
    ).toBe(true);
    viewer.close();
  });

  test("is shown scrolled text as a copy, and every pixel of it", async () => {
    const hello = formatDisplayHello({ key: KEY, channel: "rfb", argument: "" });
    const place = { hostname: `${PLACE.network}.10`, port: DISPLAY_PORT, hello };
    const [copying, plain] = [
      await PictureViewer.open({ ...place, encodings: [1, 7] }),
      await PictureViewer.open({ ...place, encodings: [0] }),
    ];
    await lab.inside(
      `cat > /tmp/count <<'END'
line=0
until [ "$line" -ge 90 ] && [ -e /tmp/enough ]; do
  line=$((line + 1)); echo "line $line of some text, $((line * line))"; sleep 0.05
done
touch /tmp/counted; sleep 1000
END
setpriv --reuid=2001 --regid=2001 --clear-groups env DISPLAY=:100 HOME=/home/bea setsid xterm -geometry 60x20+200+200 -e sh /tmp/count >/dev/null 2>&1 </dev/null &`,
    );
    const isSame = () => copying.picture.pixels.every((pixel, at) => pixel === plain.picture.pixels[at]);
    // On a busy machine many lines come with one picture, and the text scrolls for longer.
    const hasCopied = async () => {
      await Promise.all([copying.take(), plain.take()]);
      return copying.picture.seen.copy > 10;
    };
    expect(await waitFor(hasCopied, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
    await lab.inside("touch /tmp/enough");
    const isShown = async () => {
      const news = [await copying.take(), await plain.take()];
      return !news.includes(true) && isSame() && (await lab.inside("ls /tmp/counted 2>/dev/null")) !== "";
    };
    expect(await waitFor(isShown, { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
    expect(plain.picture.seen).toMatchObject({ copy: 0, palette: 0 });
    copying.close();
    plain.close();
    await lab.inside("pkill -KILL -f /tmp/count");
  }, 180_000);

  test("follows the window's size, back to the first one too", async () => {
    const [viewer, control] = [await view(), await view("control")];
    for (const [width, height] of [
      [1400, 900],
      [801, 603],
      [1000, 700],
    ] as const) {
      control.send(formatDisplayLine({ type: "resize", width, height }));
      const fits = async () => {
        const { size } = await viewer.look();
        // To X the size of the last NX client is no change, so it is missed by a pixel.
        return size.height === height && width - size.width <= 1;
      };
      expect(await waitFor(fits, { timeoutMs: 60_000, everyMs: 20 }), `${width}x${height}`).toBe(true);
    }
    viewer.close();
    control.close();
  });

  test("releases what a browser that vanished held down", async () => {
    const viewer = await view();
    await viewer.look();
    viewer.key(0xffe1, true);
    await waitFor(() => false, { timeoutMs: 200 });
    viewer.close();
    const next = await view();
    await next.look();
    next.click(300, 300);
    await waitFor(() => false, { timeoutMs: 600 });
    next.type("small\n", { withoutShift: true });
    const lastLine = () => lab.inside("tail -n 1 /home/bea/typed");
    expect(
      await waitFor(async () => (await lastLine()) === "small", { timeoutMs: 60_000, everyMs: 50 }),
      await lastLine(),
    ).toBe(true);
    next.close();
  });
});

describe("the same session by browser and by NX", () => {
  test("goes on in an NX client, with its windows, and back", async () => {
    const screen = await createScreen(PLACE);
    try {
      const viewer = await view();
      await channels.prepareSession(lab.vmId, { ...REQUEST, access: "nx", session: 2 });
      expect(await waitFor(() => viewer.isClosed, { timeoutMs: 60_000, everyMs: 10 })).toBe(true);
      const client = screen.connect();
      const isPainted = async () => (await client.countPixels("#c02040")) > 50_000;
      expect(await waitFor(isPainted, { timeoutMs: 60_000, everyMs: 100 })).toBe(true);
      await channels.prepareSession(lab.vmId, { ...REQUEST, session: 3 });
      const back = await view();
      expect(await sees(back, WINDOW, 50_000)).toBe(true);
      expect(await lab.inside("cat /home/bea/typed")).toContain("ñ ç ã ü ß € â Ñ 漢");
      back.close();
    } finally {
      await screen.stop();
    }
  }, 120_000);

  test("is found again after the agent's end", async () => {
    const before = attachments;
    await lab.inside("pkill -KILL -f '/opt/qvd/qvd'");
    const isBack = () => attachments > before && channels.read(lab.vmId)?.xState === "suspended";
    expect(await waitFor(isBack, { timeoutMs: 60_000, everyMs: 50 })).toBe(true);
    await channels.prepareSession(lab.vmId, { ...REQUEST, session: 4 });
    const viewer = await view();
    expect(await sees(viewer, WINDOW, 50_000)).toBe(true);
    viewer.close();
  }, 120_000);
});

describe("what serves the display inside", () => {
  test("is reached by nobody there but root", async () => {
    const asBea = (text: string) =>
      lab.inside(`setpriv --reuid=2001 --regid=2001 --clear-groups sh -c '${text}' 2>&1 || true`);
    const socket = (await lab.inside("ls /run/qvd-guest/screen-*/rfb")).trim();
    expect(socket).toStartWith("/run/qvd-guest/screen-");
    expect(await asBea(`ls -l ${socket}`)).toContain("Permission denied");
    expect(await asBea(`ls -d ${socket.slice(0, -4)}`)).toContain("/run/qvd-guest/screen-");
    expect(await lab.inside("ss -Hltnp")).not.toContain("tigervnc");
  });

  test("is missed in words where there is none", async () => {
    await takeAway("X0tigervnc");
    await takeAway("x11vnc");
    await expect(channels.prepareSession(lab.vmId, { ...REQUEST, session: 6 })).rejects.toThrow(
      "tigervnc-scraping-server",
    );
  });
});
