import type { PropsWithChildren } from "hono/jsx";
import { Icon } from "./icons.tsx";
import { TONE_CLASSES, TONE_ICONS, type Tone } from "./tone.ts";

/** A sentence that wants to be read: what happened, or what is wrong and what to do about it. */
export function Notice(props: PropsWithChildren<{ readonly tone: Tone }>) {
  return (
    <div class={`notice ${TONE_CLASSES[props.tone]}`} role={props.tone === "bad" ? "alert" : "status"}>
      <Icon name={TONE_ICONS[props.tone]} />
      <div>{props.children}</div>
    </div>
  );
}
