/** All icons, drawn for us on a 24-unit grid with one stroke. They are decoration: the text beside or the control's label speaks. */

import { raw } from "hono/html";

const PATHS = {
  alert: '<path d="M12 4 2.8 19.5h18.4Z"/><path d="M12 10v4.5M12 17.2v.1"/>',
  back: '<path d="M15 5.5 8.5 12l6.5 6.5"/>',
  block: '<circle cx="12" cy="12" r="8.5"/><path d="m6 6 12 12"/>',
  brand:
    '<rect x="2.5" y="3.5" width="15" height="11.5" rx="2.2"/><path d="M6.5 18.7h11.8a3 3 0 0 0 3-3V8.2"/>',
  check: '<circle cx="12" cy="12" r="8.5"/><path d="m8.2 12.3 2.6 2.6 5-5.4"/>',
  clipboard: '<rect x="5.5" y="5" width="13" height="15.5" rx="2"/><path d="M9 5V3.5h6V5M9 11h6m-6 4h4"/>',
  clock: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.4 2"/>',
  cross: '<path d="m6.5 6.5 11 11m0-11-11 11"/>',
  desktop: '<rect x="3" y="4" width="18" height="12.5" rx="2"/><path d="M8.5 20.5h7M12 16.5v4"/>',
  disconnect:
    '<path d="M9.5 7V3.5m5 3.5V3.5M6.5 7h11v3.5c0 2-.7 3.6-2 4.6M12 16c-3 0-5.5-2.2-5.5-5.5V7M12 16v4.5M4 4l16 16"/>',
  download: '<path d="M12 4.5v11m-4.5-4 4.5 4.5 4.5-4.5M4.5 15.5v4h15v-4"/>',
  edit: '<path d="M4.5 19.5 5.5 15 16 4.5l3.5 3.5L9 18.5ZM13.5 7l3.5 3.5"/>',
  fullscreen: '<path d="M4.5 9V4.5H9m6 0h4.5V9m0 6v4.5H15m-6 0H4.5V15"/>',
  image:
    '<path d="m12 3.5 8.5 4.3L12 12.1 3.5 7.8Z"/><path d="m3.5 12.2 8.5 4.3 8.5-4.3M3.5 16.5l8.5 4.3 8.5-4.3"/>',
  info: '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.9v.1"/>',
  keyboard:
    '<rect x="2.5" y="6.5" width="19" height="11" rx="2"/><path d="M6 10h.1m3.9 0h.1m3.9 0h.1m3.9 0h.1M7.5 14h9"/>',
  key: '<circle cx="8" cy="15.5" r="4"/><path d="m11 12.5 8.5-8.5M16 7.5l3 3M13.5 10l2 2"/>',
  microphone:
    '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3"/>',
  moon: '<path d="M19.5 14.3A8 8 0 0 1 9.7 4.5a8 8 0 1 0 9.8 9.8Z"/>',
  next: '<path d="m9 5.5 6.5 6.5L9 18.5"/>',
  node: '<rect x="3.5" y="4" width="17" height="7" rx="1.8"/><rect x="3.5" y="13" width="17" height="7" rx="1.8"/><path d="M7 7.5h.1M7 16.5h.1M11 7.5h6M11 16.5h6"/>',
  overview:
    '<rect x="3.5" y="3.5" width="7" height="9" rx="1.5"/><rect x="13.5" y="3.5" width="7" height="5" rx="1.5"/><rect x="13.5" y="11.5" width="7" height="9" rx="1.5"/><rect x="3.5" y="15.5" width="7" height="5" rx="1.5"/>',
  play: '<path d="M7.5 4.8v14.4l11.5-7.2Z"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  search: '<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>',
  settings:
    '<path d="M4 7h9m5 0h2M4 12h3m5 0h8M4 17h8m5 0h3"/><circle cx="15.5" cy="7" r="2.3"/><circle cx="9.5" cy="12" r="2.3"/><circle cx="14.5" cy="17" r="2.3"/>',
  session: '<path d="M3 12h4l2.5-6.5 5 13L17 12h4"/>',
  "sign-out": '<path d="M13.5 4.5h-7a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h7M10 12h10.5m-4-4 4 4-4 4"/>',
  "sort-down": '<path d="M12 5v14m-5-5 5 5 5-5"/>',
  "sort-up": '<path d="M12 19V5m-5 5 5-5 5 5"/>',
  speaker: '<path d="M4 9.5h3.5L12 5.5v13l-4.5-4H4ZM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11"/>',
  stop: '<rect x="6" y="6" width="12" height="12" rx="2"/>',
  sun: '<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2.3m0 14.4v2.3M2.5 12h2.3m14.4 0h2.3M5.3 5.3l1.6 1.6m10.2 10.2 1.6 1.6m0-13.4-1.6 1.6M6.9 17.1l-1.6 1.6"/>',
  tag: '<path d="M3.5 12.3V4.5a1 1 0 0 1 1-1h7.8l8.2 8.2-8.8 8.8ZM8 8h.1"/>',
  theme: '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17a8.5 8.5 0 0 0 0-17Z" fill="currentColor"/>',
  trash: '<path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 13h9l1-13M10.2 11v5.5m3.6-5.5v5.5"/>',
  unblock: '<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2"/>',
  upload: '<path d="M12 15.5V4.5m-4.5 4 4.5-4.5 4.5 4.5M4.5 15.5v4h15v-4"/>',
  user: '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.6-4 3.5-6 7.5-6s6.9 2 7.5 6"/>',
  users:
    '<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.5-3.6 3-5.5 6.5-5.5s6 1.9 6.5 5.5M15.5 5.2a3.5 3.5 0 0 1 0 6.6M18 14.3c2 .8 3.2 2.5 3.5 5.2"/>',
} as const satisfies Record<string, string>;

export type IconName = keyof typeof PATHS;

export function Icon(props: { readonly name: IconName; readonly size?: number }) {
  const size = props.size ?? 18;
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {/* Constants of this file, so nothing of a person's can come this way. */}
      {raw(PATHS[props.name])}
    </svg>
  );
}
