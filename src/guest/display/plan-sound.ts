import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import type { SoundPolicy } from "../../wire/display/sound.ts";

/**
 * What sound a browser may have, by the parameters that rule an NX client's: 1 has the desktop heard from the start, 0
 * keeps it from being heard at all. A microphone is never on by itself: its owner asks for it each time.
 */
export function planSound({ given = {} }: ClientParameters): SoundPolicy {
  const sound = given["qvd.client.audio.sound.enable"];
  return {
    playback: sound === "1" ? "on" : sound === "0" ? "never" : "ask",
    microphone: given["qvd.client.audio.microphone.enable"] === "0" ? "never" : "ask",
  };
}
