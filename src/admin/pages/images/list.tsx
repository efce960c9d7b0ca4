/** GET /images, and GET /images/table for the list alone. */

import type { Handler } from "hono";
import { listImages } from "../../../db/queries/images.ts";
import { listOsfs } from "../../../db/queries/osfs.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { renderPage } from "../../render.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { seesTenants, tenantOf } from "../../visible.ts";
import { ImagesRegion, type ImagesView } from "./list-view.tsx";

/** A site has few; older ones are found by the API. */
const MOST_IMAGES = 500;

export function listImagesPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function showList(c) {
    const view = await readView(deps, c);
    const actions = (
      <>
        <ButtonLink href="/images/osf/new" label="Create an OS flavour" icon="plus" />
        {view.flavours.length > 0 ? (
          <ButtonLink href="/images/new" label="Add an image" icon="upload" kind="main" />
        ) : null}
      </>
    );
    return renderPage(
      c,
      { title: "Images", section: "images", isLive: true },
      <>
        <PageHead
          title="Images"
          lead="What desktops are made of: OS flavours, their versions, and the tags that desktops follow."
          actions={actions}
        />
        <ImagesRegion view={view} />
      </>,
    );
  };
}

export function listImagesFragment(deps: AdminDeps): Handler<AdminEnv> {
  return async function showTable(c) {
    return c.html(<ImagesRegion view={await readView(deps, c)} />);
  };
}

async function readView(deps: AdminDeps, c: AdminContext): Promise<ImagesView> {
  const tenantId = tenantOf(c);
  const [osfs, images] = await Promise.all([
    listOsfs(deps.db, { tenantId }),
    listImages(deps.db, { tenantId }, { page: 1, pageSize: MOST_IMAGES }),
  ]);
  return {
    flavours: osfs.map((osf) => ({ osf, images: images.items.filter((image) => image.osfId === osf.id) })),
    csrf: c.get("signedIn").csrfToken,
    now: new Date(deps.clock.nowMs()),
    hasTenants: await seesTenants(deps, c),
  };
}
