/**
 * What pages load: embedded in the executable, served under a name that holds the content's hash, so that
 * browsers may keep it for ever and never have an old one.
 */

import sseText from "htmx.org/dist/ext/hx-sse.min.js" with { type: "text" };
import htmxText from "htmx.org/dist/htmx.min.js" with { type: "text" };
import iconText from "../../ui/icon.svg" with { type: "text" };
import baseCss from "../../ui/styles/base.css" with { type: "text" };
import controlsCss from "../../ui/styles/controls.css" with { type: "text" };
import figuresCss from "../../ui/styles/figures.css" with { type: "text" };
import listsCss from "../../ui/styles/lists.css" with { type: "text" };
import shellCss from "../../ui/styles/shell.css" with { type: "text" };
import tokensCss from "../../ui/styles/tokens.css" with { type: "text" };
import scriptText from "./scripts/app.js" with { type: "text" };

export type AssetUrls = {
  readonly style: string;
  readonly script: string;
  readonly htmx: string;
  readonly htmxSse: string;
  readonly icon: string;
};

export type Asset = { readonly type: string; readonly body: string };

export type Assets = {
  readonly urls: AssetUrls;
  /** By path. */
  readonly files: ReadonlyMap<string, Asset>;
};

const CSS = "text/css; charset=utf-8";
const JAVASCRIPT = "text/javascript; charset=utf-8";

export function loadAssets(): Assets {
  const files = new Map<string, Asset>();
  const add = (name: string, type: string, body: string) => {
    const path = `/static/${Bun.hash(body).toString(36)}/${name}`;
    files.set(path, { type, body });
    return path;
  };
  const style = [tokensCss, baseCss, shellCss, controlsCss, listsCss, figuresCss].join("\n");
  return {
    urls: {
      style: add("qvd.css", CSS, style),
      script: add("qvd.js", JAVASCRIPT, scriptText),
      htmx: add("htmx.js", JAVASCRIPT, htmxText),
      htmxSse: add("htmx-sse.js", JAVASCRIPT, sseText),
      icon: add("icon.svg", "image/svg+xml", iconText),
    },
    files,
  };
}
