import { describe, expect, test } from "bun:test";
import { guestPlaces } from "../places.ts";
import { planLaunch, readLang } from "./launch.ts";

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
