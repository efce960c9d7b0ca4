import { describe, expect, test } from "bun:test";
import { guestPlaces } from "../places.ts";
import { planLaunch, planShadowLaunch, planXvncLaunch, readLang } from "./launch.ts";

const input = {
  account: { login: "alice", uid: 2001, fullName: "Alice" },
  gid: 2001,
  home: "/home/alice",
  shell: "/bin/bash",
};

describe("planLaunch", () => {
  const plan = planLaunch(input, guestPlaces(), "es_ES.UTF-8");

  test("runs xinit as the person, with no capability to inherit", () => {
    expect(plan.command.slice(0, 6)).toEqual([
      "setpriv",
      "--reuid=2001",
      "--regid=2001",
      "--init-groups",
      "--inh-caps=-all",
      "xinit",
    ]);
  });

  test("starts nxagent with no screen saver and no TCP display", () => {
    const server = plan.command.slice(plan.command.indexOf("--") + 1).join(" ");
    expect(server).toBe(
      "/usr/bin/nxagent :100 -s 0 -ac -nolisten tcp -name QVD -display nx/nx,options=/run/qvd-guest/nxagent.options:100",
    );
  });

  test("gives a clean environment and nothing of the agent's", () => {
    expect(plan.env).toEqual({
      HOME: "/home/alice",
      USER: "alice",
      LOGNAME: "alice",
      SHELL: "/bin/bash",
      LANG: "es_ES.UTF-8",
      PATH: "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
      XDG_RUNTIME_DIR: "/run/user/2001",
      NX_CLIENT: "/run/qvd-guest/nx-dialog",
      NX_SLAVE_CMD: "/run/qvd-guest/nx-slave",
    });
  });
});

describe("a session on Xvnc", () => {
  const places = guestPlaces();
  const socket = "/run/qvd-guest/session-screen-x/rfb";

  test("has its display, size and socket, and viewers who prove that they may look", () => {
    const size = { width: 1400, height: 900 };
    const { command, env } = planXvncLaunch({ ...input, size }, places, { socket, lang: "C.UTF-8" });
    const server = command.slice(command.indexOf("--") + 1).join(" ");
    expect(server).toStartWith("/usr/bin/Xtigervnc :100 -s 0 -ac -nolisten tcp ");
    expect(server).toEndWith(`-geometry 1400x900 -depth 24 -rfbunixpath ${socket}`);
    expect(server).toContain(" -SecurityTypes VncAuth -rfbport=5102 ");
    expect(server).toContain(" -rfbauth /run/qvd-guest/screen-password ");
    expect(server).toContain(" -SendCutText=0 -AcceptCutText=0 -AllowOverride= ");
    expect(env).toEqual(planLaunch(input, places, "C.UTF-8").env);
  });

  test("is shown to an NX client at the usual ports, by a view that its window's end ends", () => {
    const { command, env } = planShadowLaunch(input, places, "C.UTF-8");
    expect(command.slice(command.indexOf("/usr/bin/nxagent")).join(" ")).toBe(
      "/usr/bin/nxagent :101 -S -shadow :100 -s 0 -ac -nolisten tcp -name QVD -display nx/nx,options=/run/qvd-guest/nxagent.options:100",
    );
    expect(env.QVD_CLOSE_SIGNAL).toBe("TERM");
  });
});

test("an application's program is told to the session by its environment alone", () => {
  const program = "xterm -e 'echo $HOME'; exit 0";
  const plan = planLaunch({ ...input, program }, guestPlaces(), "C.UTF-8");
  expect(plan.env.QVD_PROGRAM).toBe(program);
  expect(plan.command.join(" ")).not.toContain("xterm");
});

describe("readLang", () => {
  const texts: readonly (readonly [string, string])[] = [
    ['LANG="de_DE.UTF-8"\n', "de_DE.UTF-8"],
    ["# comment\nLANG=es_ES.UTF-8\nLC_ALL=C\n", "es_ES.UTF-8"],
    ["LANG=$(reboot)\n", "C.UTF-8"],
    ["", "C.UTF-8"],
  ];
  for (const [text, lang] of texts) {
    test(`reads ${JSON.stringify(text)} as ${lang}`, async () => {
      const path = `${process.env.TMPDIR ?? "/tmp"}/qvd-lang-${process.pid}`;
      await Bun.write(path, text);
      expect(readLang(path)).toBe(lang);
      await Bun.file(path).delete();
    });
  }

  test("falls back where the image says nothing", () => {
    expect(readLang("/nonexistent/locale")).toBe("C.UTF-8");
  });
});
