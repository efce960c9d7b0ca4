/** Waits for a node's verdict on an image and shows how far it is. */

import { ImageShape } from "../../admin/api/shapes.ts";
import { AppError } from "../../lib/errors.ts";
import { sleep } from "../../lib/wait.ts";
import type { Api } from "../api-client.ts";
import type { CommandIo } from "../command.ts";
import { createProgressLine } from "./progress-line.ts";

const LOOK_EVERY_MS = 500;
/** Without any progress; a fetch that comes along may take as long as it likes. */
const PATIENCE_MS = 15 * 60_000;

/** Returns the image once it is ready; `image-broken` with the node's reason, `timeout` when nothing moves. */
export async function awaitImage(io: CommandIo, api: Api, image: ImageShape): Promise<ImageShape> {
  const name = `${image.osf}:${image.version}`;
  const progress = createProgressLine(io, `fetching ${name}`);
  let mark = "";
  let movedAtMs = performance.now();
  while (performance.now() - movedAtMs < PATIENCE_MS) {
    io.signal.throwIfAborted();
    const now = ImageShape.parse(await api.ask("GET", `/images/${image.id}`));
    if (now.state === "fetching" && now.doneBytes !== null) progress.show(now.doneBytes, now.totalBytes);
    else progress.finish();
    if (now.state === "ready") return now;
    if (now.state === "failed")
      throw new AppError("image-broken", `${name} is not usable: ${now.fault ?? "no reason known"}`);
    const is = `${now.state} ${now.doneBytes}`;
    if (is !== mark) {
      if (!mark.startsWith(now.state) && now.state === "verifying") io.err("a node verifies it …\n");
      mark = is;
      movedAtMs = performance.now();
    }
    await sleep(LOOK_EVERY_MS, io.signal);
  }
  throw new AppError(
    "timeout",
    `${name} is not verified yet: is a node running? \`qvd image show ${image.id}\` tells how it goes on`,
  );
}
