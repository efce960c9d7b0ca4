/**
 * The frame of a page. Raw HTML, scripts and style sheets are named here and nowhere else; all come from
 * ourselves, because the content security policy allows nothing else.
 */

import type { PropsWithChildren } from "hono/jsx";
import { ButtonLink, SubmitButton } from "../../ui/button.tsx";
import { Document, type Theme } from "../../ui/document.tsx";
import { PostForm } from "../../ui/form.tsx";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { LIVE_EVENT, LIVE_ID, MAIN_ID } from "../../ui/ids.ts";
import { Notice } from "../../ui/notice.tsx";
import type { Tone } from "../../ui/tone.ts";
import type { AssetUrls } from "./assets.ts";

export { Gate, type Theme } from "../../ui/document.tsx";
export type Section = "overview" | "desktops" | "sessions" | "users" | "images" | "nodes" | "settings";
export type Flash = { readonly tone: Tone; readonly text: string };

/** What the frame shows apart from the page itself; the middleware provides it. */
export type Frame = {
  readonly assets: AssetUrls;
  readonly theme: Theme;
  readonly path: string;
  readonly csrf: string;
  readonly login: string;
  readonly tenantName: string;
  /** Nodes are the site's: others have no page of them. */
  readonly isSite: boolean;
  readonly flash: Flash | undefined;
};

const SECTIONS: readonly {
  readonly section: Section;
  readonly href: string;
  readonly text: string;
  readonly icon: IconName;
}[] = [
  { section: "overview", href: "/", text: "Overview", icon: "overview" },
  { section: "desktops", href: "/desktops", text: "Desktops", icon: "desktop" },
  { section: "sessions", href: "/sessions", text: "Sessions", icon: "session" },
  { section: "users", href: "/users", text: "Users", icon: "users" },
  { section: "images", href: "/images", text: "Images", icon: "image" },
  { section: "nodes", href: "/nodes", text: "Nodes", icon: "node" },
  { section: "settings", href: "/settings", text: "Settings", icon: "settings" },
];

export type PageProps = PropsWithChildren<{
  readonly title: string;
  readonly section: Section | undefined;
  /** Whether the page listens for changes. */
  readonly isLive?: boolean;
}>;

export function Page(props: PageProps & { readonly frame: Frame }) {
  const { frame } = props;
  return (
    <Document title={props.title} theme={frame.theme} assets={frame.assets}>
      <a class="skip-link" href={`#${MAIN_ID}`}>
        Skip to the content
      </a>
      <div class="shell">
        <header class="shell-top">
          <Brand />
          <Navigation isSite={frame.isSite} section={props.section} />
          <Account frame={frame} />
        </header>
        <main id={MAIN_ID} class="shell-main" tabindex={-1}>
          <div class="notice-slot">
            {frame.flash ? <Notice tone={frame.flash.tone}>{frame.flash.text}</Notice> : null}
          </div>
          {props.children}
        </main>
      </div>
      <template id="trouble">
        <Notice tone="bad">
          <span data-text />
        </Notice>
      </template>
      {props.isLive ? (
        <div id={LIVE_ID} hx-sse:connect="/events" hx-swap="none" data-event={LIVE_EVENT} hidden />
      ) : null}
    </Document>
  );
}

function Brand() {
  return (
    <a class="brand" href="/">
      <Icon name="brand" size={26} />
      QVD
    </a>
  );
}

function Navigation(props: { readonly section: Section | undefined; readonly isSite: boolean }) {
  const seen = SECTIONS.filter(({ section }) => section !== "nodes" || props.isSite);
  return (
    <nav class="shell-nav" aria-label="Main">
      <ul>
        {seen.map((entry) => (
          <li>
            <a
              class="nav-link"
              href={entry.href}
              aria-current={entry.section === props.section ? "page" : undefined}
            >
              <Icon name={entry.icon} size={20} />
              {entry.text}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

const NEXT_THEME = { auto: "light", light: "dark", dark: "auto" } as const satisfies Record<Theme, Theme>;
const THEME_ICONS = { auto: "theme", light: "sun", dark: "moon" } as const satisfies Record<Theme, IconName>;
const THEME_TEXTS = {
  auto: "Colours follow the system; switch to light",
  light: "Light colours; switch to dark",
  dark: "Dark colours; follow the system",
} as const satisfies Record<Theme, string>;

function Account(props: { readonly frame: Frame }) {
  const { frame } = props;
  return (
    <div class="shell-account">
      <span class="account-name">
        {frame.login}
        <span class="row-sub">{frame.tenantName === "*" ? "All tenants" : frame.tenantName}</span>
      </span>
      <ButtonLink href="/account" label="Your account" icon="key" kind="quiet" isIconOnly />
      <PostForm action="/theme" csrf={frame.csrf} back={frame.path} isBare>
        <input type="hidden" name="theme" value={NEXT_THEME[frame.theme]} />
        <SubmitButton
          label={THEME_TEXTS[frame.theme]}
          icon={THEME_ICONS[frame.theme]}
          kind="quiet"
          isIconOnly
        />
      </PostForm>
      <PostForm action="/sign-out" csrf={frame.csrf} isBare>
        <SubmitButton label="Sign out" icon="sign-out" kind="quiet" isIconOnly />
      </PostForm>
    </div>
  );
}
