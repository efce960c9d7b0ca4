/** Xvnc and its shadow in this desktop, as `launch.ts` plans them. */

import { existsSync } from "node:fs";
import { writeScreenPassword } from "../display/screen-password.ts";
import { openPlace, removeOldPlaces } from "../display/socket-place.ts";
import type { GuestPlaces } from "../places.ts";
import type { OwnServer } from "./guest-session.ts";
import {
  launch,
  planShadowLaunch,
  planXvncLaunch,
  prepareLaunch,
  prepareShadow,
  readLang,
} from "./launch.ts";

/** In the package tigervnc-standalone-server; the rest is nxagent's, or needed by it. */
const PROGRAM = "/usr/bin/Xtigervnc";

export function openOwnServer(places: GuestPlaces): OwnServer {
  return {
    isInstalled: () => existsSync(PROGRAM),
    launch(input) {
      prepareLaunch(input, places);
      removeOldPlaces(places.folder, "session");
      const owner = { uid: input.account.uid, gid: input.gid };
      const { socket } = openPlace(places.folder, owner, "session");
      writeScreenPassword(places.screenPassword, owner);
      const launched = launch(planXvncLaunch(input, places, { socket, lang: readLang() }), places.log);
      return { ...launched, socket, asksProof: true };
    },
    launchShadow(input) {
      prepareShadow(input, places);
      return launch(planShadowLaunch(input, places, readLang()), places.shadowLog);
    },
  };
}
