import { TONE_CLASSES, type Tone } from "./tone.ts";

/** A status in one or two words. */
export function Pill(props: { readonly tone: Tone; readonly text: string; readonly title?: string }) {
  return (
    <span class={`pill ${TONE_CLASSES[props.tone]}`} title={props.title}>
      {props.text}
    </span>
  );
}
