/**
 * Files of whoever sits at a desktop by browser, in its folder `Downloads`: GET /desktop/:id/files lists them, GET …/files/:name
 * gives one, POST …/files?name=… takes one. Bytes pass at the slower side's pace; the desktop's agent acts as the person.
 */

import type { Handler } from "hono";
import { parseId, type VmId } from "../../../domain/ids.ts";
import { AppError } from "../../../lib/errors.ts";
import { cleanFileName, MOST_FILE_BYTES } from "../../../wire/display/transfer.ts";
import type { ReadySession } from "../../request.ts";
import type { GatewayDeps } from "../deps.ts";
import type { GatewayContext, GatewayEnv } from "../env.ts";
import { openFileChannel } from "../file-channel.ts";

/** Where files come: bodies that may be huge. */
export function isFilesPath(path: string): boolean {
  return /^\/desktop\/[0-9]+\/files$/.test(path);
}

export function listFiles(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function sendFiles(c) {
    const channel = await openFileChannel(deps, await findScreen(deps, c), { channel: "download", wish: {} });
    const { files } = await channel.report();
    channel.close();
    return c.json({ files });
  };
}

export function giveFile(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function sendFile(c) {
    const name = cleanFileName(c.req.param("name") ?? "");
    const screen = await findScreen(deps, c);
    const channel = await openFileChannel(deps, screen, { channel: "download", wish: { name } });
    const { bytes } = await channel.report();
    return c.body(channel.readable(bytes), 200, {
      // Whatever it is, the browser keeps it and shows nothing of it under our name.
      "Content-Type": "application/octet-stream",
      "Content-Disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
      "Content-Length": `${bytes}`,
    });
  };
}

export function takeFile(deps: GatewayDeps): Handler<GatewayEnv> {
  return async function receiveFile(c) {
    const name = cleanFileName(c.req.query("name") ?? "");
    const length = c.req.header("Content-Length");
    const bytes = Number(length);
    if (length === undefined || !Number.isSafeInteger(bytes) || bytes < 0 || bytes > MOST_FILE_BYTES)
      throw new AppError("bad-input", "A file needs a size, of at most 8 GiB.");
    const screen = await findScreen(deps, c);
    const channel = await openFileChannel(deps, screen, { channel: "upload", wish: { name, bytes } });
    try {
      for await (const chunk of c.req.raw.body ?? []) await channel.send(chunk);
      const taken = await channel.report();
      return c.json({ name: taken.name });
    } finally {
      channel.close();
    }
  };
}

/** Who doesn't sit there has no files there either. */
async function findScreen(deps: GatewayDeps, c: GatewayContext): Promise<ReadySession> {
  const vmId = parseId<VmId>(c.req.param("id") ?? "");
  const { userId } = c.get("signedIn").actor;
  const screen = vmId === undefined ? undefined : await deps.web.findScreen(userId, vmId);
  if (screen === undefined) throw new AppError("conflict", "Open the desktop first.");
  return screen;
}
