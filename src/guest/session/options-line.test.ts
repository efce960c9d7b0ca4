import { describe, expect, test } from "bun:test";
import type { ClientParameters } from "../../domain/session/client-parameters.ts";
import { formatOptionsLine } from "./options-line.ts";

const client: ClientParameters = {
  keyboard: "pc105/es",
  os: "linux",
  link: "adsl",
  geometry: "1024x768",
  isFullscreen: false,
};
const rest = { accept: "10.77.1.1", stateFile: "/run/qvd-guest/nxagent.state" };

describe("formatOptionsLine", () => {
  test("writes one line for display 100", () => {
    expect(formatOptionsLine({ client, ...rest })).toBe(
      "nx/nx,keyboard=pc105/es,client=linux,link=adsl,geometry=1024x768,state=/run/qvd-guest/nxagent.state," +
        "sleep=0,tolerancechecks=risky,clipboard=both,accept=10.77.1.1:100\n",
    );
  });

  test("asks for full screen when the client does", () => {
    const line = formatOptionsLine({ client: { ...client, isFullscreen: true }, ...rest });
    expect(line).toContain(",geometry=1024x768,fullscreen=1,state=");
  });

  // Each of these aborted nxagent with a core dump or changed its options.
  for (const value of ["", "us,accept=0.0.0.0", "rmlvo/a=b", "us\n", "us:100", "a b", "%2c", "é", "'"]) {
    test(`refuses ${JSON.stringify(value)} as a value`, () => {
      expect(formatOptionsLine({ client: { ...client, keyboard: value }, ...rest })).toBeUndefined();
    });
  }

  test("refuses a line that nxagent would cut", () => {
    expect(formatOptionsLine({ client: { ...client, keyboard: "a".repeat(1000) }, ...rest })).toBeUndefined();
  });
});
