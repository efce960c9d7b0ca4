import { decideAccess } from "../../domain/access/decide-access.ts";
import { incomingName } from "../../domain/image/incoming-name.ts";
import { AppError } from "../../lib/errors.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext } from "../env.ts";
import { tenantOf } from "../visible.ts";
import { type Received, receiveUpload } from "./receive.ts";
import { type PartReceived, parseContentRange, readReceived, receivePart } from "./receive-part.ts";

/**
 * Receives the body of `PUT …?name=FILE`, or one part of it with `&upload=ID` and a Content-Range; whoever may
 * enrol an image of some tenant may lay one down.
 */
export async function handleUpload(deps: AdminDeps, c: AdminContext): Promise<PartReceived> {
  requireRight(c);
  const uploadId = c.req.query("upload");
  if (uploadId === undefined) return { isWhole: true, ...(await receiveWhole(deps, c)) };
  const range = parseContentRange(c.req.header("Content-Range") ?? "");
  if (range === undefined) throw new AppError("bad-input", "a part of an upload needs a Content-Range");
  const body = c.req.raw.body;
  if (body === null) throw new AppError("bad-input", "the upload was empty");
  c.env?.holdOpen?.();
  return await receivePart(body, range, {
    folder: deps.incomingFolder,
    fileName: fileNameOf(c),
    uploadId,
    leastFreeBytes: deps.leastFreeBytes,
    signal: c.req.raw.signal,
  });
}

/** How far an upload in parts has come, for whoever takes it up again. */
export async function askUpload(
  deps: AdminDeps,
  c: AdminContext,
): Promise<{ readonly receivedBytes: number }> {
  requireRight(c);
  const [fileName, uploadId] = [fileNameOf(c), c.req.query("upload") ?? ""];
  return { receivedBytes: await readReceived({ folder: deps.incomingFolder, fileName, uploadId }) };
}

/** As it is kept: the answer says it, since it may be another than the sender's. */
function fileNameOf(c: AdminContext): string {
  const name = c.req.query("name") ?? "";
  // An empty one is refused as such.
  return name === "" ? "" : incomingName(name, tenantOf(c));
}

function requireRight(c: AdminContext): void {
  const { actor } = c.get("signedIn");
  if (decideAccess(actor, "image.enrol", { tenantId: actor.tenantId }) !== "allowed")
    throw new AppError("forbidden", "You may not add images.");
}

function receiveWhole(deps: AdminDeps, c: AdminContext): Promise<Received> {
  const body = c.req.raw.body;
  if (body === null) throw new AppError("bad-input", "the upload was empty");
  const length = c.req.header("Content-Length");
  // An upload may take longer than the server's patience with a silent sender.
  c.env?.holdOpen?.();
  return receiveUpload(body, {
    folder: deps.incomingFolder,
    fileName: fileNameOf(c),
    sizeBytes: length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined,
    leastFreeBytes: deps.leastFreeBytes,
    mark: deps
      .randomToken()
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 12),
    signal: c.req.raw.signal,
  });
}
