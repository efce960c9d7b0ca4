import { expect, test } from "bun:test";
import { silentLog } from "../../lib/log.ts";
import { waitFor } from "../../lib/wait.ts";
import { ShadowClipboard } from "./shadow-clipboard.ts";

const user = {
  account: { login: "bea", uid: 2001, fullName: "Bea" },
  ...{ gid: 2001, home: "/home/bea", shell: "/bin/sh" },
};

function play() {
  const copied = new Map<string, string>([
    [":100", "of before"],
    [":101", "of before, too"],
  ]);
  let looks = 0;
  const clipboard = new ShadowClipboard({
    programs: {
      readClipboard: async (_user, display = ":100") => {
        looks++;
        return copied.get(display);
      },
      writeClipboard: async (_user, text, display = ":100") => copied.set(display, text).has(display),
    },
    display: ":101",
    log: silentLog(),
    everyMs: 2,
  });
  const looked = async () => {
    const from = looks;
    await waitFor(() => looks >= from + 4, { timeoutMs: 2_000, everyMs: 1 });
  };
  const has = (display: string, text: string) =>
    waitFor(() => copied.get(display) === text, { timeoutMs: 2_000, everyMs: 1 });
  return { clipboard, copied, looked, has };
}

test("what is copied at either side is at the other, and nothing of before", async () => {
  const { clipboard, copied, looked, has } = play();
  clipboard.follow(user);
  await looked();
  expect([...copied.values()]).toEqual(["of before", "of before, too"]);
  copied.set(":100", "of a program");
  expect(await has(":101", "of a program")).toBe(true);
  copied.set(":101", "of the client");
  expect(await has(":100", "of the client")).toBe(true);
  clipboard.follow(undefined);
});

test("nothing goes over once the client has left", async () => {
  const { clipboard, copied, looked } = play();
  clipboard.follow(user);
  await looked();
  clipboard.follow(undefined);
  copied.set(":100", "later");
  await waitFor(() => false, { timeoutMs: 30 });
  expect(copied.get(":101")).toBe("of before, too");
});
