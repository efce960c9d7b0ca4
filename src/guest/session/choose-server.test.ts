import { expect, test } from "bun:test";
import { chooseServer } from "./choose-server.ts";

const client = { keyboard: "pc105/us", os: "linux", link: "lan", geometry: "1024x768", isFullscreen: false };

test.each([
  ["a browser's session is on Xvnc", "browser", undefined, "vnc"],
  ["and where the site says so", "browser", "vnc", "vnc"],
  ["unless the site says otherwise", "browser", "nx", "nx"],
  ["an NX client's is on nxagent", "nx", undefined, "nx"],
  ["whatever the site says of browsers", "nx", "vnc", "nx"],
  ["as is that of a node of before, which tells of no access", undefined, undefined, "nx"],
] as const)("%s", (_, access, said, expected) => {
  const given = said === undefined ? {} : { "qvd.client.browser.server": said };
  const order = { client: { ...client, given }, ...(access === undefined ? {} : { access }) };
  expect(chooseServer(order)).toBe(expected);
});
