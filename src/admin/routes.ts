/** Every route, on one page. Pages are behind the session and CSRF middlewares, the API behind its token. */

import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { AppError } from "../lib/errors.ts";
import { requireReadableForm } from "../ui/readable-form.ts";
import { addApiRoutes } from "./api/routes.ts";
import type { AdminDeps } from "./deps.ts";
import type { AdminContext, AdminEnv } from "./env.ts";
import { streamEvents } from "./events.ts";
import { csrf } from "./middleware/csrf.ts";
import { requireSession } from "./middleware/session.ts";
import { beginOidc, endOidc } from "./pages/account/oidc.ts";
import { ownSecondFactor } from "./pages/account/second-factor.tsx";
import { showSignIn, signIn, signInWithSetUp } from "./pages/account/sign-in.tsx";
import { signOut } from "./pages/account/sign-out.ts";
import { changeTheme } from "./pages/account/theme.ts";
import { actOnDesktop } from "./pages/desktops/act.ts";
import { actOnDesktops } from "./pages/desktops/act-on-many.ts";
import { changeDesktop, showChangeDesktop } from "./pages/desktops/change.tsx";
import { createDesktop, showCreateDesktop } from "./pages/desktops/create.tsx";
import { deleteDesktop, showDeleteDesktop } from "./pages/desktops/delete.tsx";
import { listDesktopsFragment, listDesktopsPage } from "./pages/desktops/list.tsx";
import { showDesktop, showDesktopFragment } from "./pages/desktops/show.tsx";
import { visitConsole, visitSession } from "./pages/desktops/visit.ts";
import { actOnImage } from "./pages/images/act.ts";
import { deleteImagePage, showDeleteImage } from "./pages/images/delete.tsx";
import { deleteFlavour, showDeleteFlavour } from "./pages/images/delete-flavour.tsx";
import { enrolImagePage, showEnrolImage } from "./pages/images/enrol.tsx";
import {
  changeFlavour,
  createFlavour,
  showChangeFlavour,
  showCreateFlavour,
} from "./pages/images/flavour-form.tsx";
import { listImagesFragment, listImagesPage } from "./pages/images/list.tsx";
import { publishImagePage, showPublishImage } from "./pages/images/publish.tsx";
import { retireImagePage, showRetireImage } from "./pages/images/retire.tsx";
import { showImage, showImageFragment } from "./pages/images/show.tsx";
import { showTagImage, tagImage, untagImage } from "./pages/images/tag.tsx";
import { askUploadPage, uploadImage } from "./pages/images/upload.ts";
import { actOnNode } from "./pages/nodes/act.ts";
import { changeNodePage, showChangeNode } from "./pages/nodes/change.tsx";
import { drainNodePage, showDrainNode } from "./pages/nodes/drain.tsx";
import { endStrangerPage, showEndStranger } from "./pages/nodes/end-stranger.tsx";
import { listNodesFragment, listNodesPage } from "./pages/nodes/list.tsx";
import { removeNodePage, showRemoveNode } from "./pages/nodes/remove.tsx";
import { showOverview, showOverviewFragment } from "./pages/overview/show.tsx";
import { setPropertyPage, showProperties, unsetPropertyPage } from "./pages/properties/page.tsx";
import { disconnectSession } from "./pages/sessions/disconnect.ts";
import { listSessionsFragment, listSessionsPage } from "./pages/sessions/list.tsx";
import { actOnAdministrator } from "./pages/settings/act-on-administrator.ts";
import { showAdministrators } from "./pages/settings/administrators.tsx";
import { showAudit, showAuditTable } from "./pages/settings/audit.tsx";
import { changeSettingsPage, showChangeSettings } from "./pages/settings/change.tsx";
import { deleteAdministratorPage, showDeleteAdministrator } from "./pages/settings/delete-administrator.tsx";
import { showSettings } from "./pages/settings/list.tsx";
import { forgetSlowedPage, showSlowed } from "./pages/settings/slowed.tsx";
import { showTenants } from "./pages/settings/tenants.tsx";
import { showTestDirectory, testDirectoryPage } from "./pages/settings/test-directory.tsx";
import { unsetSettingPage } from "./pages/settings/unset.ts";
import { serveAsset } from "./pages/static.ts";
import { actOnUser } from "./pages/users/act.ts";
import { changeUserPage, showChangeUser } from "./pages/users/change.tsx";
import { createUserPage, showCreateUser } from "./pages/users/create.tsx";
import { deleteUserPage, showDeleteUser } from "./pages/users/delete.tsx";
import { listUsersFragment, listUsersPage } from "./pages/users/list.tsx";
import { resetSecondFactor, revokeUserToken, showResetSecondFactor } from "./pages/users/proofs.tsx";
import { setPassword, showSetPassword } from "./pages/users/set-password.tsx";
import { setSecondFactor, showSetSecondFactor } from "./pages/users/set-second-factor.tsx";
import { showUser, showUserFragment } from "./pages/users/show.tsx";
import type { Assets } from "./ui/assets.ts";

/** Forms are small; uploads, which are not, come by PUT and are streamed. */
const MOST_BODY_BYTES = 256 * 1024;

export function addRoutes(app: Hono<AdminEnv>, deps: AdminDeps, assets: Assets): void {
  const limited = bodyLimit({
    maxSize: MOST_BODY_BYTES,
    onError: () => {
      throw new AppError("bad-input", "This is more than a form can hold.");
    },
  });
  app.use("/*", (c, next) => (isUpload(c) ? next() : limited(c, next)));
  app.use(
    "/*",
    requireReadableForm(() => false),
  );

  app.get("/static/*", serveAsset(assets));
  addApiRoutes(app, deps);

  app.get("/sign-in", showSignIn(deps));
  app.post("/sign-in", signIn(deps));
  app.post("/sign-in/set-up", signInWithSetUp(deps));
  app.get("/sign-in/oidc/begin", beginOidc(deps));
  app.get("/sign-in/oidc", endOidc(deps));

  app.use("/*", requireSession(deps.db), csrf());
  app.post("/sign-out", signOut(deps));
  const secondFactor = ownSecondFactor(deps);
  app.get("/account", secondFactor.show);
  app.post("/account/second-factor/begin", secondFactor.begin);
  app.post("/account/second-factor/confirm", secondFactor.confirm);
  app.post("/account/second-factor/renew", secondFactor.renew);
  app.post("/account/second-factor/remove", secondFactor.remove);
  app.post("/theme", changeTheme());
  app.get("/events", streamEvents(deps.live));

  app.get("/", showOverview(deps));
  app.get("/overview/live", showOverviewFragment(deps));
  addDesktopRoutes(app, deps);
  addUserRoutes(app, deps);
  addImageRoutes(app, deps);
  app.get("/sessions", listSessionsPage(deps));
  app.get("/sessions/table", listSessionsFragment(deps));
  app.post("/sessions/:id/disconnect", disconnectSession(deps));

  app.get("/nodes", listNodesPage(deps));
  app.get("/nodes/live", listNodesFragment(deps));
  app.post("/nodes/:id/block", actOnNode(deps, "block"));
  app.post("/nodes/:id/unblock", actOnNode(deps, "unblock"));
  app.post("/nodes/:id/undrain", actOnNode(deps, "undrain"));
  app.get("/nodes/:id/drain", showDrainNode(deps));
  app.post("/nodes/:id/drain", drainNodePage(deps));
  app.get("/nodes/:id/strangers/:vm/end", showEndStranger(deps));
  app.post("/nodes/:id/strangers/:vm/end", endStrangerPage(deps));
  app.get("/nodes/:id/change", showChangeNode(deps));
  app.post("/nodes/:id/change", changeNodePage(deps));
  app.get("/nodes/:id/remove", showRemoveNode(deps));
  app.post("/nodes/:id/remove", removeNodePage(deps));

  addSettingRoutes(app, deps);

  app.get("/properties/:kind/:id", showProperties(deps));
  app.post("/properties/:kind/:id", setPropertyPage(deps));
  app.post("/properties/:kind/:id/unset", unsetPropertyPage(deps));
}

function addSettingRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get("/settings", showSettings(deps));
  app.post("/settings/unset", unsetSettingPage(deps));
  app.get("/settings/slowed", showSlowed(deps));
  app.post("/settings/slowed/forget", forgetSlowedPage(deps));
  app.get("/settings/administrators", showAdministrators(deps));
  app.post("/settings/administrators/:id/block", actOnAdministrator(deps, "block"));
  app.post("/settings/administrators/:id/unblock", actOnAdministrator(deps, "unblock"));
  app.get("/settings/administrators/:id/delete", showDeleteAdministrator(deps));
  app.post("/settings/administrators/:id/delete", deleteAdministratorPage(deps));
  app.get("/settings/tenants", showTenants(deps));
  app.get("/settings/audit", showAudit(deps));
  app.get("/settings/audit/table", showAuditTable(deps));
  app.get("/settings/directory/test", showTestDirectory(deps));
  app.post("/settings/directory/test", testDirectoryPage(deps));
  app.get("/settings/:key/change", showChangeSettings(deps));
  app.post("/settings/:key/change", changeSettingsPage(deps));
}

function isUpload(c: AdminContext): boolean {
  return c.req.method === "PUT" && c.req.path.endsWith("/images/upload");
}

function addDesktopRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get("/desktops", listDesktopsPage(deps));
  app.get("/desktops/table", listDesktopsFragment(deps));
  app.get("/desktops/new", showCreateDesktop(deps));
  app.post("/desktops", createDesktop(deps));
  app.post("/desktops/start", actOnDesktops(deps, "start"));
  app.post("/desktops/stop", actOnDesktops(deps, "stop"));
  app.get("/desktops/:id", showDesktop(deps));
  app.get("/desktops/:id/live", showDesktopFragment(deps));
  app.post("/desktops/:id/start", actOnDesktop(deps, "start"));
  app.post("/desktops/:id/stop", actOnDesktop(deps, "stop"));
  app.post("/desktops/:id/disconnect", actOnDesktop(deps, "disconnect"));
  app.post("/desktops/:id/block", actOnDesktop(deps, "block"));
  app.post("/desktops/:id/unblock", actOnDesktop(deps, "unblock"));
  app.post("/desktops/:id/console", visitConsole(deps));
  app.post("/desktops/:id/watch", visitSession(deps));
  app.get("/desktops/:id/change", showChangeDesktop(deps));
  app.post("/desktops/:id/change", changeDesktop(deps));
  app.get("/desktops/:id/delete", showDeleteDesktop(deps));
  app.post("/desktops/:id/delete", deleteDesktop(deps));
}

function addUserRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get("/users", listUsersPage(deps));
  app.get("/users/table", listUsersFragment(deps));
  app.get("/users/new", showCreateUser(deps));
  app.post("/users", createUserPage(deps));
  app.get("/users/:id", showUser(deps));
  app.get("/users/:id/live", showUserFragment(deps));
  app.get("/users/:id/change", showChangeUser(deps));
  app.post("/users/:id/change", changeUserPage(deps));
  app.get("/users/:id/password", showSetPassword(deps));
  app.post("/users/:id/password", setPassword(deps));
  app.post("/users/:id/block", actOnUser(deps, "block"));
  app.post("/users/:id/unblock", actOnUser(deps, "unblock"));
  app.get("/users/:id/second-factor", showSetSecondFactor(deps));
  app.post("/users/:id/second-factor", setSecondFactor(deps));
  app.get("/users/:id/second-factor/reset", showResetSecondFactor(deps));
  app.post("/users/:id/second-factor/reset", resetSecondFactor(deps));
  app.post("/users/:id/tokens/:token/revoke", revokeUserToken(deps));
  app.get("/users/:id/delete", showDeleteUser(deps));
  app.post("/users/:id/delete", deleteUserPage(deps));
}

function addImageRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get("/images", listImagesPage(deps));
  app.get("/images/table", listImagesFragment(deps));
  app.get("/images/new", showEnrolImage(deps));
  app.post("/images", enrolImagePage(deps));
  app.put("/images/upload", uploadImage(deps));
  app.get("/images/upload", askUploadPage(deps));
  app.get("/images/osf/new", showCreateFlavour(deps));
  app.post("/images/osf", createFlavour(deps));
  app.get("/images/osf/:id/change", showChangeFlavour(deps));
  app.post("/images/osf/:id/change", changeFlavour(deps));
  app.get("/images/osf/:id/delete", showDeleteFlavour(deps));
  app.post("/images/osf/:id/delete", deleteFlavour(deps));
  app.get("/images/:id", showImage(deps));
  app.get("/images/:id/live", showImageFragment(deps));
  app.get("/images/:id/publish", showPublishImage(deps));
  app.post("/images/:id/publish", publishImagePage(deps));
  app.get("/images/:id/retire", showRetireImage(deps));
  app.post("/images/:id/retire", retireImagePage(deps));
  app.get("/images/:id/tag", showTagImage(deps));
  app.post("/images/:id/tag", tagImage(deps));
  app.post("/images/:id/untag", untagImage(deps));
  app.post("/images/:id/block", actOnImage(deps, "block"));
  app.post("/images/:id/unblock", actOnImage(deps, "unblock"));
  app.get("/images/:id/delete", showDeleteImage(deps));
  app.post("/images/:id/delete", deleteImagePage(deps));
}
