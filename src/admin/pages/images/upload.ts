import type { Handler } from "hono";
import type { AdminDeps } from "../../deps.ts";
import type { AdminEnv } from "../../env.ts";
import { hrefWith } from "../../list-query.ts";
import { handleUpload } from "../../upload/handle.ts";

/** PUT /images/upload?name=FILE&osf=ID: the page's script sends the file here and goes where the answer says. */
export function uploadImage(deps: AdminDeps): Handler<AdminEnv> {
  return async function receive(c) {
    const received = await handleUpload(deps, c);
    return c.json(
      { ...received, next: hrefWith("/images/new", { osf: c.req.query("osf"), file: received.fileName }) },
      201,
    );
  };
}
