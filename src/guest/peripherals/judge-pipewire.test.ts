import { describe, expect, test } from "bun:test";
import { judgePipewire, mayAnswer } from "./judge-pipewire.ts";

const START_MS = 3_000;
const parts = (ageMs: number, ...names: string[]) => names.map((name) => ({ name, ageMs }));

describe("a PipeWire", () => {
  test("is absent, whole at any age, or starting until its last part is too old for that", () => {
    expect(judgePipewire([], START_MS)).toBe("absent");
    expect(judgePipewire(parts(10, "pipewire", "wireplumber", "pipewire-pulse"), START_MS)).toBe("whole");
    expect(judgePipewire(parts(90_000, "pipewire", "wireplumber", "pipewire-pulse"), START_MS)).toBe("whole");
    expect(judgePipewire(parts(2_999, "pipewire"), START_MS)).toBe("starting");
    expect(judgePipewire(parts(3_000, "pipewire"), START_MS)).toBe("broken");
    const slow = [...parts(5_000, "pipewire"), ...parts(100, "wireplumber")];
    expect(judgePipewire(slow, START_MS)).toBe("starting");
  });

  test.each(["pipewire", "wireplumber", "pipewire-pulse"])("is broken without its %s", (name) => {
    const left = ["pipewire", "wireplumber", "pipewire-pulse"].filter((one) => one !== name);
    expect(judgePipewire(parts(60_000, ...left), START_MS)).toBe("broken");
  });
});

describe("a question to the sound server", () => {
  test("is put unless PipeWire's PulseAudio side lacks what is behind it", () => {
    expect(mayAnswer(new Set(["pipewire-pulse", "wireplumber", "pipewire"]), true)).toBe(true);
    expect(mayAnswer(new Set(["pipewire-pulse", "wireplumber"]), true)).toBe(false);
    expect(mayAnswer(new Set(["pipewire-pulse", "pipewire"]), true)).toBe(false);
    expect(mayAnswer(new Set(["pipewire-pulse"]), false)).toBe(false);
  });

  test("is put to what an image has of its own", () => {
    expect(mayAnswer(new Set(), true)).toBe(true);
    expect(mayAnswer(new Set(["pulseaudio"]), true)).toBe(true);
    expect(mayAnswer(new Set(["pulseaudio", "pipewire-pulse"]), true)).toBe(true);
    // Joined by another than WirePlumber.
    expect(mayAnswer(new Set(["pipewire-pulse", "pipewire"]), false)).toBe(true);
  });
});
