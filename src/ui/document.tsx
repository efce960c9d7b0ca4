/** The document that every page is: what it loads comes from ourselves, as the content security policy allows nothing else. */

import { raw } from "hono/html";
import type { PropsWithChildren } from "hono/jsx";
import { Icon } from "./icons.tsx";
import { MAIN_ID } from "./ids.ts";

export type Theme = "auto" | "light" | "dark";

/** Where the document's parts are served. */
export type DocumentAssets = {
  readonly style: string;
  readonly script: string;
  readonly htmx: string;
  readonly htmxSse?: string;
  readonly icon: string;
  /** A script that is a module. */
  readonly module?: string;
};

const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: "reload",
  noSwap: [204, 304, "4xx", "5xx"],
  defaultTimeout: 30_000,
});

export type DocumentProps = PropsWithChildren<{
  readonly title: string;
  readonly theme: Theme;
  readonly assets: DocumentAssets;
}>;

export function Document(props: DocumentProps) {
  const { assets, theme } = props;
  return (
    <>
      {raw("<!doctype html>")}
      <html lang="en" data-theme={theme === "auto" ? undefined : theme}>
        <head>
          <meta charset="utf-8" />
          <title>{`${props.title} · QVD`}</title>
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content={theme === "auto" ? "light dark" : theme} />
          <meta name="htmx-config" content={HTMX_CONFIG} />
          <link rel="icon" href={assets.icon} type="image/svg+xml" />
          <link rel="stylesheet" href={assets.style} />
          <script src={assets.htmx} defer />
          {assets.htmxSse === undefined ? null : <script src={assets.htmxSse} defer />}
          <script src={assets.script} defer />
          {assets.module === undefined ? null : <script src={assets.module} type="module" />}
        </head>
        <body>{props.children}</body>
      </html>
    </>
  );
}

/** The frame of pages for those who are not signed in. */
export function Gate(props: DocumentProps) {
  return (
    <Document title={props.title} theme={props.theme} assets={props.assets}>
      <main id={MAIN_ID} class="gate">
        <div class="gate-box">
          <div class="gate-brand">
            <Icon name="brand" size={44} />
            <h1>{props.title}</h1>
          </div>
          {props.children}
        </div>
      </main>
    </Document>
  );
}
