/** /api/v1/images, their tags, and the upload of their files. */

import type { Handler } from "hono";
import { listImages, readImage } from "../../db/queries/images.ts";
import { type DiId, type OsfId, parseId } from "../../domain/ids.ts";
import { AppError } from "../../lib/errors.ts";
import { blockImage } from "../../service/image/block.ts";
import { deleteImage } from "../../service/image/delete.ts";
import { enrolImage } from "../../service/image/enrol.ts";
import { moveTag } from "../../service/image/move-tag.ts";
import { publishImage } from "../../service/image/publish.ts";
import { removeTag } from "../../service/image/remove-tag.ts";
import { retireImage } from "../../service/image/retire.ts";
import { unblockImage } from "../../service/image/unblock.ts";
import { rehearse } from "../../service/rehearse.ts";
import { contextOf } from "../context.ts";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { askUpload, handleUpload } from "../upload/handle.ts";
import { listIncoming } from "../upload/list-incoming.ts";
import { found, idParam, tenantOf } from "../visible.ts";
import { wakeForTags } from "../wake-for-tags.ts";
import { pick, readJson, readOptionalJson, unparsed } from "./body.ts";
import { answerPage, isTrial, readListQuery } from "./list.ts";
import { imageShape } from "./to-shape.ts";

type Api = (deps: AdminDeps) => Handler<AdminEnv>;

export const apiListImages: Api = (deps) => async (c) => {
  const query = readListQuery(c);
  const filter = { tenantId: tenantOf(c), search: query.search, osfId: osfFilter(c.req.query("osf")) };
  return answerPage(c, await listImages(deps.db, filter, query), imageShape);
};

export const apiShowImage: Api = (deps) => async (c) => {
  const image = await readImage(deps.db, idParam<DiId>(c, "image"), tenantOf(c));
  return c.json(imageShape(found(image, "image")));
};

export const apiEnrolImage: Api = (deps) => async (c) => {
  const fields = pick(await readJson(c), ["osfId", "fileName", "sourceUrl", "version", "sha256"]);
  const { diId } = await enrolImage(contextOf(deps, c), unparsed(fields));
  deps.wake("image");
  return c.json(imageShape(found(await readImage(deps.db, diId), "image")), 201);
};

export const apiUploadImage: Api = (deps) => async (c) => {
  const received = await handleUpload(deps, c);
  if (!received.isWhole) return c.json({ receivedBytes: received.receivedBytes }, 202);
  const { fileName, sizeBytes } = received;
  return c.json({ fileName, sizeBytes }, 201);
};

export const apiAskUpload: Api = (deps) => async (c) => c.json(await askUpload(deps, c));

export const apiPublishImage: Api = (deps) => async (c) => {
  const diId = idParam<DiId>(c, "image");
  const fields = pick(await readOptionalJson(c), ["tags"]);
  await publishImage(contextOf(deps, c), unparsed({ ...fields, diId }));
  wakeForTags(deps);
  return c.json(imageShape(found(await readImage(deps.db, diId), "image")));
};

export const apiListIncoming: Api = (deps) => async (c) => {
  const items = await listIncoming(deps.incomingFolder, tenantOf(c));
  return c.json({ items, total: items.length, page: 1 });
};

const VERBS = {
  block: blockImage,
  unblock: unblockImage,
  retire: retireImage,
  delete: deleteImage,
} as const;

export function apiActOnImage(deps: AdminDeps, verb: keyof typeof VERBS): Handler<AdminEnv> {
  return async function executeVerb(c) {
    const diId = idParam<DiId>(c, "image");
    if (isTrial(c)) await rehearse(contextOf(deps, c), (inside) => VERBS[verb](inside, { diId }));
    else {
      await VERBS[verb](contextOf(deps, c), { diId });
      wakeForTags(deps);
    }
    return c.body(null, 204);
  };
}

export const apiPutTag: Api = (deps) => async (c) => {
  const diId = idParam<DiId>(c, "image");
  await moveTag(contextOf(deps, c), { diId, tag: c.req.param("tag") ?? "" });
  wakeForTags(deps);
  return c.body(null, 204);
};

export const apiRemoveTag: Api = (deps) => async (c) => {
  const diId = idParam<DiId>(c, "image");
  await removeTag(contextOf(deps, c), { diId, tag: c.req.param("tag") ?? "" });
  deps.wake("image");
  return c.body(null, 204);
};

function osfFilter(text: string | undefined): OsfId | undefined {
  if (text === undefined || text === "") return undefined;
  const id = parseId<OsfId>(text);
  if (id === undefined) throw new AppError("bad-input", "osf must be an id", { field: "osf" });
  return id;
}
