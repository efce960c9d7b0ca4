/** Every route of `/api/v1`. Signing in is open, and what a box needs that joins by a code. */

import type { Hono } from "hono";
import type { AdminDeps } from "../deps.ts";
import type { AdminEnv } from "../env.ts";
import { requireBearer } from "../middleware/bearer.ts";
import { answerNotFound } from "../middleware/errors.tsx";
import { apiSignIn, apiSignOut } from "./account.ts";
import { apiActOnAdministrator, apiListAdministrators, apiShowAdministrator } from "./administrators.ts";
import { apiListAudit } from "./audit.ts";
import { apiForgetSlowed, apiListSlowed, apiTestDirectory } from "./auth.ts";
import { apiExplainVm } from "./explain.ts";
import {
  apiActOnImage,
  apiAskUpload,
  apiEnrolImage,
  apiListImages,
  apiListIncoming,
  apiPublishImage,
  apiPutTag,
  apiRemoveTag,
  apiShowImage,
  apiUploadImage,
} from "./images.ts";
import { apiJoin, apiShowAuthority } from "./join.ts";
import {
  apiActOnNode,
  apiChangeNode,
  apiDrainNode,
  apiEndStranger,
  apiListNodes,
  apiRemoveNode,
  apiShowNode,
} from "./nodes.ts";
import { apiChangeOsf, apiCreateOsf, apiDeleteOsf, apiListOsfs, apiShowOsf } from "./osfs.ts";
import {
  apiListTokens,
  apiResetSecondFactor,
  apiRevokeToken,
  apiSetSecondFactor,
  apiShowSecondFactor,
} from "./proofs.ts";
import { apiListProperties, apiSetProperty, apiUnsetProperty } from "./properties.ts";
import { apiEndSession, apiListSessions, apiShowSession } from "./sessions.ts";
import { apiListSettings, apiSetSetting, apiUnsetSetting } from "./settings.ts";
import { apiListTenants, apiShowTenant } from "./tenants.ts";
import {
  apiActOnUser,
  apiChangeUser,
  apiCreateUser,
  apiListUsers,
  apiSetUserPassword,
  apiShowUser,
} from "./users.ts";
import { apiOpenConsole, apiWatchSession } from "./visits.ts";
import {
  apiActOnVm,
  apiBlockVm,
  apiChangeVm,
  apiCreateVm,
  apiListVms,
  apiShowTrail,
  apiShowVm,
} from "./vms.ts";
import { apiWishVms } from "./vms-many.ts";

const V1 = "/api/v1";

export function addApiRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.post(`${V1}/sign-in`, apiSignIn(deps));
  app.get(`${V1}/ca`, apiShowAuthority(deps));
  app.post(`${V1}/join/:id`, apiJoin(deps));
  app.use("/api/*", requireBearer(deps.db));
  app.post(`${V1}/sign-out`, apiSignOut(deps));

  addPeopleRoutes(app, deps);

  app.get(`${V1}/vms`, apiListVms(deps));
  app.post(`${V1}/vms`, apiCreateVm(deps));
  app.post(`${V1}/vms/start`, apiWishVms(deps, "running"));
  app.post(`${V1}/vms/stop`, apiWishVms(deps, "stopped"));
  app.get(`${V1}/vms/:id`, apiShowVm(deps));
  app.get(`${V1}/vms/:id/trail`, apiShowTrail(deps));
  app.get(`${V1}/vms/:id/explain`, apiExplainVm(deps));
  app.patch(`${V1}/vms/:id`, apiChangeVm(deps));
  app.post(`${V1}/vms/:id/start`, apiActOnVm(deps, "start"));
  app.post(`${V1}/vms/:id/stop`, apiActOnVm(deps, "stop"));
  app.post(`${V1}/vms/:id/disconnect`, apiActOnVm(deps, "disconnect"));
  app.post(`${V1}/vms/:id/console`, apiOpenConsole(deps));
  app.post(`${V1}/vms/:id/watch`, apiWatchSession(deps));
  app.post(`${V1}/vms/:id/block`, apiBlockVm(deps));
  app.post(`${V1}/vms/:id/unblock`, apiActOnVm(deps, "unblock"));
  app.delete(`${V1}/vms/:id`, apiActOnVm(deps, "delete"));

  app.get(`${V1}/osfs`, apiListOsfs(deps));
  app.post(`${V1}/osfs`, apiCreateOsf(deps));
  app.get(`${V1}/osfs/:id`, apiShowOsf(deps));
  app.patch(`${V1}/osfs/:id`, apiChangeOsf(deps));
  app.delete(`${V1}/osfs/:id`, apiDeleteOsf(deps));

  app.get(`${V1}/images`, apiListImages(deps));
  app.post(`${V1}/images`, apiEnrolImage(deps));
  app.get(`${V1}/images/incoming`, apiListIncoming(deps));
  app.put(`${V1}/images/upload`, apiUploadImage(deps));
  app.get(`${V1}/images/upload`, apiAskUpload(deps));
  app.get(`${V1}/images/:id`, apiShowImage(deps));
  app.post(`${V1}/images/:id/publish`, apiPublishImage(deps));
  app.post(`${V1}/images/:id/retire`, apiActOnImage(deps, "retire"));
  app.post(`${V1}/images/:id/block`, apiActOnImage(deps, "block"));
  app.post(`${V1}/images/:id/unblock`, apiActOnImage(deps, "unblock"));
  app.delete(`${V1}/images/:id`, apiActOnImage(deps, "delete"));
  app.put(`${V1}/images/:id/tags/:tag`, apiPutTag(deps));
  app.delete(`${V1}/images/:id/tags/:tag`, apiRemoveTag(deps));

  addNodeRoutes(app, deps);
  addSessionRoutes(app, deps);

  app.get(`${V1}/properties/:kind/:id`, apiListProperties(deps));
  app.put(`${V1}/properties/:kind/:id/:key`, apiSetProperty(deps));
  app.delete(`${V1}/properties/:kind/:id/:key`, apiUnsetProperty(deps));

  addSettingRoutes(app, deps);

  // Else the pages' middlewares would answer.
  app.all("/api/*", answerNotFound);
}

function addPeopleRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get(`${V1}/tenants`, apiListTenants(deps));
  app.get(`${V1}/tenants/:id`, apiShowTenant(deps));

  app.get(`${V1}/administrators`, apiListAdministrators(deps));
  app.get(`${V1}/administrators/:id`, apiShowAdministrator(deps));
  app.post(`${V1}/administrators/:id/block`, apiActOnAdministrator(deps, "block"));
  app.post(`${V1}/administrators/:id/unblock`, apiActOnAdministrator(deps, "unblock"));
  app.delete(`${V1}/administrators/:id`, apiActOnAdministrator(deps, "delete"));
  app.get(`${V1}/audit`, apiListAudit(deps));

  app.get(`${V1}/users`, apiListUsers(deps));
  app.post(`${V1}/users`, apiCreateUser(deps));
  app.get(`${V1}/users/:id`, apiShowUser(deps));
  app.patch(`${V1}/users/:id`, apiChangeUser(deps));
  app.put(`${V1}/users/:id/password`, apiSetUserPassword(deps));
  app.post(`${V1}/users/:id/block`, apiActOnUser(deps, "block"));
  app.post(`${V1}/users/:id/unblock`, apiActOnUser(deps, "unblock"));
  app.delete(`${V1}/users/:id`, apiActOnUser(deps, "delete"));
  app.get(`${V1}/users/:id/second-factor`, apiShowSecondFactor(deps));
  app.put(`${V1}/users/:id/second-factor`, apiSetSecondFactor(deps));
  app.delete(`${V1}/users/:id/second-factor`, apiResetSecondFactor(deps));
  app.get(`${V1}/users/:id/tokens`, apiListTokens(deps));
  app.delete(`${V1}/users/:id/tokens/:token`, apiRevokeToken(deps));
}

function addNodeRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get(`${V1}/nodes`, apiListNodes(deps));
  app.get(`${V1}/nodes/:id`, apiShowNode(deps));
  app.post(`${V1}/nodes/:id/block`, apiActOnNode(deps, "block"));
  app.post(`${V1}/nodes/:id/unblock`, apiActOnNode(deps, "unblock"));
  app.post(`${V1}/nodes/:id/drain`, apiDrainNode(deps));
  app.post(`${V1}/nodes/:id/undrain`, apiActOnNode(deps, "undrain"));
  app.post(`${V1}/nodes/:id/strangers/:vm/end`, apiEndStranger(deps));
  app.patch(`${V1}/nodes/:id`, apiChangeNode(deps));
  app.delete(`${V1}/nodes/:id`, apiRemoveNode(deps));
}

function addSessionRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get(`${V1}/sessions`, apiListSessions(deps));
  app.get(`${V1}/sessions/:id`, apiShowSession(deps));
  app.post(`${V1}/sessions/:id/disconnect`, apiEndSession(deps));
}

function addSettingRoutes(app: Hono<AdminEnv>, deps: AdminDeps): void {
  app.get(`${V1}/auth/slowed`, apiListSlowed(deps));
  app.delete(`${V1}/auth/slowed/:key`, apiForgetSlowed(deps));
  app.post(`${V1}/auth/test-directory`, apiTestDirectory(deps));
  app.get(`${V1}/settings`, apiListSettings(deps));
  app.put(`${V1}/settings/:key`, apiSetSetting(deps));
  app.delete(`${V1}/settings/:key`, apiUnsetSetting(deps));
}
