/** What hooks are told: the names of QVD 4, its arguments in pairs. Properties can't pass for what is ours. */

import type { XState } from "../../domain/session/x-state.ts";
import type { GuestHook } from "../../wire/guest/messages.ts";
import type { PrepareOrder } from "../session/order.ts";
import type { HookPairs } from "./hooks.ts";

/** Of a session: who it is for, what their client asked for (as far as it may pass), and the properties. */
export function sessionPairs({ account, client, properties = {}, parameters }: PrepareOrder): HookPairs {
  return {
    ...client.given,
    ...Object.fromEntries(Object.entries(properties).filter(([key]) => !key.startsWith("qvd."))),
    ...parameters,
    "qvd.vm.user.name": account.login,
    // Where it is: a directory's path only leads there, by a link.
    "qvd.vm.user.home": `/home/${account.login}`,
    "qvd.client.keyboard": client.keyboard,
    "qvd.client.os": client.os,
    "qvd.client.link": client.link,
    "qvd.client.geometry": client.geometry,
    "qvd.client.fullscreen": client.isFullscreen ? "1" : "0",
  };
}

/** Of an action: what it is, and in which state it finds the session. */
export function actionPairs(hook: GuestHook, state: XState): HookPairs {
  return {
    "qvd.vm.session.state": stateName(state),
    // As the original wrote it.
    "qvd.hook.on_action": hook === "pre-connect" ? "pre_connect" : hook,
  };
}

export function statePairs(hook: GuestHook): HookPairs {
  return { "qvd.hook.on_state": hook };
}

export function provisioningPairs(hook: GuestHook): HookPairs {
  return { "qvd.hook.on_provisioning": hook };
}

/** The hook of a state that was reached; undefined for those that have none. */
export function stateHookOf(state: XState): GuestHook | undefined {
  if (state === "connected" || state === "suspended") return state;
  return state === "none" ? "disconnected" : undefined;
}

/** The original had another word for one of them. */
function stateName(state: XState): string {
  return state === "none" ? "stopped" : state;
}
