import type { Handler } from "hono";
import type { AdminEnv } from "../env.ts";
import { answerNotFound } from "../middleware/errors.tsx";
import type { Assets } from "../ui/assets.ts";

/** GET /static/…: named by their content, so they may be kept for ever. */
export function serveAsset(assets: Assets): Handler<AdminEnv> {
  return function sendAsset(c) {
    const asset = assets.files.get(c.req.path);
    if (asset === undefined) return answerNotFound(c);
    return c.body(asset.body, 200, {
      "Content-Type": asset.type,
      "Cache-Control": "public, max-age=31536000, immutable",
    });
  };
}
