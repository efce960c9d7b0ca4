/** Debian's Firefox, driven by WebDriver BiDi, which it speaks itself. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { waitFor } from "../../src/lib/wait.ts";

export type Firefox = {
  visit(address: string): Promise<void>;
  /** The value of an expression in the page; promises are waited for. */
  evaluate(expression: string): Promise<unknown>;
  /** Keys as a person presses them, one after the other. */
  press(...keys: readonly string[]): Promise<void>;
  click(x: number, y: number): Promise<void>;
  /** A finger that is lifted after so long. */
  touch(x: number, y: number, forMs: number): Promise<void>;
  /** Gives the page a size; without one that of its window. */
  resize(size?: { readonly width: number; readonly height: number }): Promise<void>;
  /** Chooses files for the input that a selector finds. */
  setFiles(selector: string, paths: readonly string[]): Promise<void>;
  stop(): Promise<void>;
};

const START_MS = 60_000;
const ANSWER_MS = 60_000;
const HOLDS_MS = 60_000;

type Answer = {
  readonly id?: number;
  readonly type: string;
  readonly result?: unknown;
  readonly message?: string;
};

export type FirefoxOptions = {
  /** By their names, as about:config shows them. */
  readonly preferences?: Readonly<Record<string, string | number | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** On the screen that `env` names. */
  readonly hasScreen?: boolean;
};

export async function startFirefox({
  preferences = {},
  env = {},
  hasScreen = false,
}: FirefoxOptions = {}): Promise<Firefox> {
  const profile = await mkdtemp("/tmp/qvd-firefox-");
  const lines = Object.entries(preferences).map(
    (pair) => `user_pref(${JSON.stringify(pair).slice(1, -1)});\n`,
  );
  await writeFile(`${profile}/user.js`, lines.join(""));
  const browser = Bun.spawn(
    [
      "/usr/bin/firefox-esr",
      ...(hasScreen ? [] : ["--headless"]),
      "--no-remote",
      "--profile",
      profile,
      "--remote-debugging-port",
      "0",
    ],
    {
      env: { HOME: profile, PATH: "/usr/bin:/bin", ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    },
  );
  const socket = new WebSocket(`${await readAddress(browser.stderr)}/session`);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let lastId = 0;
  socket.onmessage = ({ data }) => {
    const answer: Answer = JSON.parse(String(data));
    const asked = waiting.get(answer.id ?? -1);
    if (answer.type === "success") asked?.resolve(answer.result);
    else asked?.reject(new Error(`Firefox: ${answer.message}`));
  };
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  async function ask(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++lastId;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(id, asked);
    socket.send(JSON.stringify({ id, method, params }));
    const timer = setTimeout(() => asked.reject(new Error(`Firefox: no answer to ${method}`)), ANSWER_MS);
    try {
      return Object(await asked.promise);
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  }
  await ask("session.new", { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  const { contexts } = await ask("browsingContext.getTree", {});
  const context = Array.isArray(contexts) ? contexts[0]?.context : undefined;
  const act = (actions: readonly object[]) => ask("input.performActions", { context, actions });
  return {
    visit: async (url) => void (await ask("browsingContext.navigate", { context, url, wait: "complete" })),
    evaluate: async (expression) => {
      const { result } = await ask("script.evaluate", {
        expression,
        target: { context },
        awaitPromise: true,
      });
      return Object(result).value;
    },
    press: async (...keys) => {
      const actions = keys.flatMap((value) => [
        { type: "keyDown", value },
        { type: "keyUp", value },
      ]);
      await act([{ type: "key", id: "keyboard", actions }]);
    },
    click: async (x, y) => {
      const pause = { type: "pause", duration: 200 };
      const actions = [
        { type: "pointerMove", x, y },
        pause,
        { type: "pointerDown", button: 0 },
        pause,
        { type: "pointerUp", button: 0 },
        pause,
      ];
      await act([{ type: "pointer", id: "mouse", actions }]);
    },
    touch: async (x, y, forMs) => {
      const actions = [
        { type: "pointerMove", x, y },
        { type: "pointerDown", button: 0 },
        { type: "pause", duration: forMs },
        { type: "pointerUp", button: 0 },
      ];
      await act([{ type: "pointer", id: "finger", parameters: { pointerType: "touch" }, actions }]);
    },
    resize: async (size) =>
      void (await ask("browsingContext.setViewport", { context, viewport: size ?? null })),
    setFiles: async (selector, files) => {
      const found = await ask("browsingContext.locateNodes", {
        context,
        locator: { type: "css", value: selector },
      });
      const [node] = Array.isArray(found.nodes) ? found.nodes : [];
      await ask("input.setFiles", { context, element: { sharedId: node?.sharedId }, files });
    },
    stop: async () => {
      socket.close();
      browser.kill("SIGKILL");
      await browser.exited;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Of a page that another one took the place of while it was asked. */
const BETWEEN_PAGES = /destroyed|aborted|discarded|no such (frame|window)/i;

/** Whether an expression becomes true, on this page or the one that follows it. */
export async function firefoxHolds(
  firefox: Firefox,
  expression: string,
  timeoutMs = HOLDS_MS,
): Promise<boolean> {
  const ask = () =>
    firefox.evaluate(expression).catch((error: unknown) => {
      if (!BETWEEN_PAGES.test(String(error))) throw error;
      return false;
    });
  const holds = async () => (await ask()) === true;
  return (await waitFor(holds, { timeoutMs, everyMs: 100 })) === true;
}

/** Where a tool of the page's bar is, once the bar has come down to show it. */
export async function middleOfTool(firefox: Firefox, id: string): Promise<[number, number]> {
  const text = await firefox.evaluate(`(async () => {
    const tool = document.getElementById("${id}");
    tool.focus();
    await Promise.all(document.getElementById("bar").getAnimations().map((one) => one.finished.catch(() => {})));
    const { x, y, width, height } = tool.getBoundingClientRect();
    return Math.round(x + width / 2) + " " + Math.round(y + height / 2);
  })()`);
  const [x = 0, y = 0] = String(text).split(" ").map(Number);
  return [x, y];
}

async function readAddress(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let said = "";
  void (async () => {
    for await (const chunk of stderr) said = (said + Buffer.from(chunk).toString("utf8")).slice(-10_000);
  })();
  const address = () => /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(said)?.[1];
  await waitFor(() => address() !== undefined, { timeoutMs: START_MS, everyMs: 50 });
  const found = address();
  if (found === undefined) throw new Error(`Firefox did not start: ${said}`);
  return found;
}
