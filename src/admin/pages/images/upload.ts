import type { Handler } from "hono";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { hrefWith } from "../../list-query.ts";
import { askUpload, handleUpload } from "../../upload/handle.ts";

/** PUT /images/upload?name=FILE&osf=ID: the page's script sends the file here, in parts, and goes where the last answer says. */
export function uploadImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function receive(c) {
    const received = await handleUpload(deps, c);
    if (!received.isWhole) return c.json(received, 202);
    const next = hrefWith("/images/new", { osf: c.req.query("osf"), file: received.fileName });
    return c.json({ ...received, next }, 201);
  };
}

/** GET of the same address with `&upload=ID`: how far it has come. */
export function askUploadPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function answer(c) {
    return c.json(await askUpload(deps, c));
  };
}
