import { decideAccess } from "../../domain/access/decide-access.ts";
import { AppError } from "../../lib/errors.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminContext } from "../env.ts";
import { type Received, receiveUpload } from "./receive.ts";

/** Receives the body of `PUT …?name=FILE`; whoever may enrol an image of some tenant may lay one down. */
export function handleUpload(deps: AdminDeps, c: AdminContext): Promise<Received> {
  const { actor } = c.get("signedIn");
  if (decideAccess(actor, "image.enrol", { tenantId: actor.tenantId }) !== "allowed") {
    throw new AppError("forbidden", "You may not add images.");
  }
  const body = c.req.raw.body;
  if (body === null) throw new AppError("bad-input", "the upload was empty");
  const length = c.req.header("Content-Length");
  // An upload may take longer than the server's patience with a silent sender.
  c.env?.holdOpen?.();
  return receiveUpload(body, {
    folder: deps.incomingFolder,
    fileName: c.req.query("name") ?? "",
    sizeBytes: length !== undefined && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined,
    leastFreeBytes: deps.leastFreeBytes,
    mark: deps
      .randomToken()
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(0, 12),
    signal: c.req.raw.signal,
  });
}
