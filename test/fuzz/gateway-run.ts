/**
 * A broker in a process of its own, somebody who is signed in by browser, and pages that mean no good: requests, openings
 * of sockets and frames that are nearly right, several on a connection. None may be answered as if something had broken,
 * no socket may open without its ticket, and afterwards nothing may be left open or have grown.
 */

import { waitFor } from "../../src/lib/wait.ts";
import { openFakeDisplay } from "../support/fake-display.ts";
import { fieldOf, PortalClient } from "../support/portal-client.ts";
import { QvdClient } from "../support/qvd-client.ts";
import { createRandom } from "../support/random.ts";
import { formatOpening, readStatus } from "../support/raw-browser.ts";
import { GATEWAY_FRAMES, GATEWAY_OPENINGS, GATEWAY_REQUESTS, UPGRADE } from "./gateway-corpora.ts";
import { mutate, type Random } from "./mutate.ts";
import {
  AT_ONCE,
  countDescriptors,
  leave,
  readResidentKb,
  type VisitedBroker,
  WARM_UP,
  withBroker,
} from "./strangers.ts";

export type GatewayReport = {
  /** Requests, openings and frames. */
  readonly inputs: number;
  readonly connections: number;
  /** Sockets of a page that were opened with a good ticket, and left in the midst of it. */
  readonly sockets: number;
  readonly leftDescriptors: number;
  readonly grownKb: number;
  /** Proper pages that were shown between the others; all of them must be. */
  readonly pages: number;
  readonly faults: readonly string[];
};

export type GatewayOptions = {
  readonly inputs: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
};

const MOST_DESKTOPS = 4_000;
const ANSWER_MS = 20_000;
const PAGE_EVERY = 200;

export async function runGateway({ inputs, seed, signal }: GatewayOptions): Promise<GatewayReport> {
  const display = openFakeDisplay();
  try {
    return await withBroker(display.port, async (broker) => {
      const visit = new GatewayVisit(broker, createRandom(seed));
      await visit.signIn();
      await visit.page();
      const descriptors = countDescriptors(broker.pid);
      const forget = () => {
        for (const list of [display.hellos, display.orders, display.spoken]) list.length = 0;
      };
      await visit.strangers(Math.ceil(inputs * WARM_UP), forget, signal);
      const beforeKb = readResidentKb(broker.pid);
      await visit.strangers(inputs, forget, signal);
      await visit.page();
      // What strangers left open goes by the limits of the gateway.
      const settled = () => (countDescriptors(broker.pid) <= descriptors ? true : undefined);
      await waitFor(settled, { timeoutMs: 120_000, everyMs: 200 });
      return {
        ...visit.counts,
        leftDescriptors: Math.max(0, countDescriptors(broker.pid) - descriptors),
        grownKb: readResidentKb(broker.pid) - beforeKb,
        faults: visit.faults,
      };
    });
  } finally {
    display.stop();
  }
}

class GatewayVisit {
  readonly counts = { inputs: 0, connections: 0, sockets: 0, pages: 0 };
  readonly faults: string[] = [];
  readonly #broker: VisitedBroker;
  readonly #random: Random;
  readonly #good: PortalClient;
  #csrf = "";

  constructor(broker: VisitedBroker, random: Random) {
    this.#broker = broker;
    this.#random = random;
    this.#good = new PortalClient(broker.port);
  }

  async signIn(): Promise<void> {
    const { status } = await this.#good.signIn("alice", "secret");
    if (status !== 303) throw new Error(`alice can't sign in: ${status}`);
    this.#csrf = fieldOf((await this.#good.ask("/")).text, "csrf");
  }

  /** Shows a proper page, as before. */
  async page(): Promise<void> {
    const { status } = await this.#good.ask("/sign-in").catch((error) => ({ status: String(error) }));
    if (status === 200 || status === 303) this.counts.pages++;
    else this.faults.push(`after ${this.counts.inputs} inputs a page was answered by ${status}`);
  }

  async strangers(until: number, forget: () => void, signal: AbortSignal | undefined): Promise<void> {
    const one = async () => {
      while (this.counts.inputs < until && this.faults.length === 0) {
        signal?.throwIfAborted();
        this.counts.connections++;
        if (this.counts.connections % PAGE_EVERY === 0) {
          forget();
          await this.page();
        }
        const kind = this.#random();
        if (kind < 0.4) await this.#request();
        else if (kind < 0.6) await this.#openWrongly();
        else await this.#frames();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** A few on one connection; what follows one that is no request at all is read as part of it. */
  async #request(): Promise<void> {
    const client = await QvdClient.open(this.#broker.port);
    const count = 1 + Math.floor(this.#random() * 6);
    const sent = Array.from({ length: count }, () => mutate(GATEWAY_REQUESTS, this.#random)).map((input) =>
      this.#fill(Buffer.from(input).toString("latin1"), "none"),
    );
    this.counts.inputs += count;
    client.send(sent.join(""));
    if (this.#random() < 0.5) await readStatus(client, 200);
    this.#judge(client, sent.join(""));
    await leave(client, this.#random);
  }

  async #openWrongly(): Promise<void> {
    const client = await QvdClient.open(this.#broker.port);
    const which = Math.floor(this.#random() * GATEWAY_OPENINGS.length);
    const ticket = this.#random() < 0.2 ? await this.#ticket(2) : "none";
    const sent = this.#fill(GATEWAY_OPENINGS[which] ?? "", ticket).replace("{UPGRADE}", UPGRADE);
    this.counts.inputs++;
    client.send(sent);
    const status = await readStatus(client, ANSWER_MS);
    if (status === 101 || status === 0) this.faults.push(`answered by ${status}: ${JSON.stringify(sent)}`);
    this.#judge(client, sent);
    await leave(client, this.#random);
  }

  /** Behind a good ticket: frames that are none. */
  async #frames(): Promise<void> {
    const desktop = 1 + (this.counts.sockets % MOST_DESKTOPS);
    const ticket = await this.#ticket(desktop);
    const kind = this.#random() < 0.8 ? "ws" : this.#random() < 0.5 ? "sound" : "microphone";
    const client = await QvdClient.open(this.#broker.port);
    client.send(
      formatOpening(this.#broker.port, `/desktop/${desktop}/${kind}?ticket=${ticket}`, this.#good.cookie),
    );
    const status = await readStatus(client, ANSWER_MS);
    if (status !== 101) this.faults.push(`a good ticket was answered by ${status}`);
    this.counts.sockets++;
    const count = 1 + Math.floor(this.#random() * 60);
    for (let sent = 0; sent < count; sent++) {
      client.send(mutate(GATEWAY_FRAMES, this.#random));
      // Some come while the session is still asked for, some when the screen is there.
      if (this.#random() < 0.05) await Bun.sleep(this.#random() * 10);
    }
    this.counts.inputs += count;
    await leave(client, this.#random);
  }

  async #ticket(desktop: number): Promise<string> {
    const headers = { "X-CSRF-Token": this.#csrf, Origin: this.#good.origin, Accept: "application/json" };
    const ask = () => this.#good.ask(`/desktop/${desktop}/ticket`, { method: "POST", headers });
    // A connection that lay idle may end just then, which browsers meet by a second try.
    const { status, text } = await ask().catch(ask);
    if (status !== 200) {
      this.faults.push(`a ticket was refused: ${status} ${text}`);
      return "none";
    }
    return JSON.parse(text).ticket;
  }

  #fill(text: string, ticket: string): string {
    const known = { HOST: `127.0.0.1:${this.#broker.port}`, COOKIE: this.#good.cookie, CSRF: this.#csrf };
    return text.replace(/\{(HOST|COOKIE|CSRF|TICKET)\}/g, (_whole, name: keyof typeof known | "TICKET") =>
      name === "TICKET" ? ticket : known[name],
    );
  }

  /** Whatever came, an answer that says that we broke is our fault. */
  #judge(client: QvdClient, sent: string): void {
    if (/^HTTP\/1\.1 500/m.test(client.received)) this.faults.push(`broke at ${JSON.stringify(sent)}`);
  }
}
