import { describe, expect, test } from "bun:test";
import { chooseClientParameters, composeClientParameters } from "./client-parameters.ts";

const choose = (given: Record<string, string>) => chooseClientParameters(new Map(Object.entries(given)));

describe("of what a client says", () => {
  test("nothing gives the defaults", () => {
    expect(choose({})).toEqual({
      keyboard: "pc105/us",
      os: "linux",
      link: "adsl",
      geometry: "1024x768",
      isFullscreen: false,
      given: {},
    });
  });

  // Name, what was said, what passes.
  const passes: [string, string, string][] = [
    ["qvd.client.keyboard", "pc105/es", "pc105/es"],
    ["qvd.client.keyboard", "empty/empty", "empty/empty"],
    ["qvd.client.keyboard", "pc105+inet/es", "pc105+inet/es"],
    ["qvd.client.keyboard", "pc105 inet/es", "pc105+inet/es"],
    ["qvd.client.keyboard", "es", "pc105/es"],
    ["qvd.client.keyboard", "latam", "pc105/latam"],
    ["qvd.client.os", "winnt", "windows"],
    ["qvd.client.os", "WINDOWS", "windows"],
    ["qvd.client.os", "darwin", "darwin"],
    ["qvd.client.link", "LAN", "lan"],
    ["qvd.client.usb.implementation", "USBIP", "usbip"],
    ["qvd.client.timezone", "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ["qvd.client.timezone", "Etc/GMT+1", "Etc/GMT+1"],
    ["qvd.client.hostname", "pc-17.office", "pc-17.office"],
    ["custom.cost-centre", "a/b, c=d", "a/b, c=d"],
  ];
  for (const [name, said, passed] of passes)
    test(`${name}=${said} passes`, () => expect(choose({ [name]: said }).given).toEqual({ [name]: passed }));

  const refused: [string, string][] = [
    ["qvd.client.keyboard", "us,accept=0.0.0.0"],
    ["qvd.client.keyboard", "rmlvo/a=b"],
    ["qvd.client.keyboard", ""],
    ["qvd.client.keyboard", "query"],
    ["qvd.client.keyboard", "es/"],
    ["qvd.client.keyboard", "/es"],
    ["qvd.client.keyboard", "e"],
    ["qvd.client.keyboard", "pc105/es/dvorak"],
    ["qvd.client.keyboard", "pc105/es:100"],
    ["qvd.client.link", "5m"],
    ["qvd.client.geometry", "0x0"],
    ["qvd.client.geometry", "1024x768+1"],
    ["qvd.client.fullscreen", "yes"],
    ["qvd.client.nxagent.extra_args", "accept=0.0.0.0"],
    ["qvd.client.timezone", "../../etc/shadow"],
    ["qvd.client.timezone", "/etc/passwd"],
    ["qvd.client.hostname", "-rf"],
    ["qvd.client.unheard-of", "1"],
    ["qvd.vm.user.name", "root"],
    ["custom.a", "two\nlines"],
    ["custom.", "x"],
    ["custom.a b", "x"],
    ["custom.long", "x".repeat(257)],
    ["__proto__", "x"],
    ["toString", "x"],
  ];
  for (const [name, said] of refused)
    test(`${name}=${JSON.stringify(said.slice(0, 20))} does not`, () =>
      expect(choose({ [name]: said }).given).toEqual({}));

  test("a flood of custom ones is cut", () => {
    const many = Object.fromEntries([...Array(100).keys()].map((n) => [`custom.n${n}`, "x"]));
    expect(Object.keys(choose(many).given ?? {}).length).toBe(20);
  });
});

describe("over what a client says", () => {
  const client = choose({
    "qvd.client.link": "lan",
    "qvd.client.keyboard": "pc105/es",
    "custom.a": "client",
  });
  const compose = (properties: Record<string, string>, defaults: Record<string, string> = {}) =>
    composeClientParameters({ client, properties, defaults, parameters: {} });

  test("goes a property", () => {
    expect(compose({ "qvd.client.link": "modem" }).link).toBe("modem");
  });
  test("goes no property that may not pass", () => {
    expect(compose({ "qvd.client.link": "5m" }).link).toBe("lan");
  });
  test("goes no property that is for hooks alone", () => {
    expect(compose({ "custom.a": "property", printer: "x" }).given).toEqual(client.given ?? {});
  });
  test("goes no setting, which is for clients that say nothing", () => {
    const composed = compose({}, { "qvd.client.link": "modem", "qvd.client.timezone": "Europe/Madrid" });
    expect(composed.link).toBe("lan");
    expect(composed.given?.["qvd.client.timezone"]).toBe("Europe/Madrid");
  });
  test("goes, over all, what an authenticator gives", () => {
    const parameters = { "qvd.client.link": "isdn", "qvd.vm.user.home": "/srv/ann" };
    const composed = composeClientParameters({
      client,
      parameters,
      properties: { "qvd.client.link": "modem" },
      defaults: {},
    });
    expect(composed.link).toBe("isdn");
    expect(composed.given?.["qvd.vm.user.home"]).toBeUndefined();
  });
  test("a property goes over a setting", () => {
    const composed = compose({ "qvd.client.geometry": "800x600" }, { "qvd.client.geometry": "640x480" });
    expect(composed.geometry).toBe("800x600");
  });
  test("a request of before keeps its words", () => {
    const { given: _absent, ...before } = client;
    const composed = composeClientParameters({
      client: before,
      properties: {},
      parameters: {},
      defaults: { "qvd.client.link": "isdn" },
    });
    expect(composed).toMatchObject(before);
  });
});
