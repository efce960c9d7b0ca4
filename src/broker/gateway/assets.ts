/**
 * What users' pages load: embedded in the executable, served under a name that holds the content's hash, so that
 * browsers may keep it for ever and never have an old one.
 */

import htmxText from "htmx.org/dist/htmx.min.js" with { type: "text" };
import iconText from "../../ui/icon.svg" with { type: "text" };
import baseCss from "../../ui/styles/base.css" with { type: "text" };
import controlsCss from "../../ui/styles/controls.css" with { type: "text" };
import listsCss from "../../ui/styles/lists.css" with { type: "text" };
import shellCss from "../../ui/styles/shell.css" with { type: "text" };
import tokensCss from "../../ui/styles/tokens.css" with { type: "text" };
import { bundleClient } from "./bundle-client.ts" with { type: "macro" };
import audioText from "./client/audio-thread.js" with { type: "text" };
import signInText from "./client/sign-in.js" with { type: "text" };
import desktopCss from "./styles/desktop.css" with { type: "text" };
import portalCss from "./styles/portal.css" with { type: "text" };

export type GatewayAsset = { readonly type: string; readonly body: string };

export type GatewayAssets = {
  readonly style: string;
  /** Of pages without a screen. */
  readonly script: string;
  readonly htmx: string;
  readonly icon: string;
  /** Of the page with one. */
  readonly desktopModule: string;
  /** What that page's audio thread runs. */
  readonly audioModule: string;
  /** By path. */
  readonly files: ReadonlyMap<string, GatewayAsset>;
};

const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";
const CLIENT = bundleClient();

export function loadGatewayAssets(): GatewayAssets {
  const files = new Map<string, GatewayAsset>();
  const add = (name: string, type: string, body: string) => {
    const path = `/static/${Bun.hash(body).toString(36)}/${name}`;
    files.set(path, { type, body });
    return path;
  };
  const styles = [tokensCss, baseCss, shellCss, controlsCss, listsCss, portalCss, desktopCss];
  return {
    style: add("qvd.css", CSS, styles.join("\n")),
    script: add("portal.js", JAVASCRIPT, signInText),
    htmx: add("htmx.js", JAVASCRIPT, htmxText),
    icon: add("icon.svg", "image/svg+xml", iconText),
    desktopModule: add("desktop.js", JAVASCRIPT, CLIENT),
    audioModule: add("audio.js", JAVASCRIPT, audioText),
    files,
  };
}
