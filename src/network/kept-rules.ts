/**
 * The rules of the desktop network as the kernel was given them, and whether they are still what it has. The tables are
 * this box's own: whatever another program changes in them is put back, since a box without them keeps desktops apart from nobody.
 */

import { AppError } from "../lib/errors.ts";
import type { Netlink } from "./netlink.ts";
import { hasAllElements, loadRules } from "./port-elements.ts";
import type { PortChange, PortMemory } from "./port-memory.ts";
import { type RulesetOptions, renderRuleset } from "./render-ruleset.ts";
import { countMarkedRules, readRulesMark } from "./rules-mark.ts";

export type KeptRulesOptions = Omit<RulesetOptions, "ports"> & {
  /** Gives `nft`'s text to the kernel. */
  readonly load?: (text: string) => Promise<void>;
};

/** Not for two at a time. */
export class KeptRules {
  readonly #netlink: Pick<Netlink, "talk">;
  readonly #ports: PortMemory;
  readonly #options: KeptRulesOptions;
  #mark: string | undefined;

  constructor(netlink: Pick<Netlink, "talk">, ports: PortMemory, options: KeptRulesOptions) {
    this.#netlink = netlink;
    this.#ports = ports;
    this.#options = options;
  }

  /** With the elements of all ports that are known. */
  async load(): Promise<void> {
    const { load = loadRules, ...options } = this.#options;
    const text = renderRuleset({ ...options, ports: await this.#ports.list() });
    await load(text);
    const mark = await readRulesMark(this.#netlink, this.#options.names.table);
    // Somebody may have emptied them in between: what is remembered is what was loaded, or nothing.
    this.#mark = countMarkedRules(mark) === countRules(text) ? mark : "";
    if (this.#mark === "")
      throw new AppError(
        "driver-failed",
        "Loading the rules of the desktop network: another program changes them at the same time; it is tried again",
      );
  }

  /** Loads them again where something is missing or was changed; false where nothing is, or they were never loaded. */
  async mend(): Promise<boolean> {
    if (await this.#areWhole()) return false;
    await this.load();
    return true;
  }

  /** Changes ports; nobody's start or stop fails since somebody has just emptied the filter. */
  async change(change: PortChange): Promise<void> {
    try {
      await this.#ports.change(change);
    } catch (error) {
      if (!(await this.mend())) throw error;
      await this.#ports.change(change);
    }
  }

  /** Takes them away with all elements. */
  async remove(): Promise<void> {
    this.#ports.forget();
    this.#mark = undefined;
    const { table } = this.#options.names;
    const tables = [`table bridge ${table}`, `table inet ${table}`];
    await loadRules(tables.flatMap((one) => [one, `delete ${one}`]).join("\n"));
  }

  async #areWhole(): Promise<boolean> {
    if (this.#mark === undefined) return true;
    // An emptied filter has that mark as well, and where no port is known, no element is missed in it.
    if (this.#mark === "") return false;
    const { names } = this.#options;
    if ((await readRulesMark(this.#netlink, names.table)) !== this.#mark) return false;
    return await hasAllElements(this.#netlink, names, await this.#ports.list());
  }
}

/** Each has a line of its own in a chain. */
function countRules(text: string): number {
  return text.split("\n").filter((line) => /^ {4}(?!type )\S/.test(line)).length;
}
