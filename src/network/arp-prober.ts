/**
 * Asks desktops whether they answer at their address, many at a time over one socket that is open only while
 * somebody waits. Bounded on all sides: three questions to a desktop, so many frames a turn, an end for each.
 */

import { readFileSync } from "node:fs";
import { type ArpParty, parseArpReply, renderArpRequest } from "./arp-frame.ts";
import { openPacketSocket, type PacketSocket } from "./packet-socket.ts";

type Waiting = {
  readonly asked: ArpParty;
  readonly settle: (isAnswered: boolean) => void;
  questions: number;
  nextTurn: number;
};

const ETHERTYPE_ARP = 0x0806;
const TURN_MS = 10;
/** A desktop that is up answers before a turn is over, and its start waits. */
const EARLY_LOOK_MS = 1;
const MOST_QUESTIONS = 3;
/** An answer takes microseconds; a busy box may need some hundred milliseconds. */
const TURNS_TO_ANSWER = 25;
const MOST_FRAMES_A_TURN = 64;
/** Somebody's own chatter must not hold up the loop. */
const MOST_READS_A_TURN = 1024;

export class ArpProber {
  readonly #bridge: string;
  readonly #asker: ArpParty;
  readonly #waiting = new Map<string, Waiting>();
  #socket: PacketSocket | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #turn = 0;

  constructor(bridge: string, asker: ArpParty) {
    this.#bridge = bridge;
    this.#asker = asker;
  }

  /** True once `asked` has answered as itself; false after three questions and 0.75 s, or some more when hundreds are asked. */
  ask(asked: ArpParty): Promise<boolean> {
    return new Promise((resolve) => {
      const earlier = this.#waiting.get(asked.address);
      const settle = (isAnswered: boolean) => {
        earlier?.settle(isAnswered);
        resolve(isAnswered);
      };
      this.#waiting.set(asked.address, { asked, settle, questions: 0, nextTurn: this.#turn });
      if (this.#timer !== undefined) return;
      this.#timer = setInterval(() => this.#look(), TURN_MS);
      // After this turn of the event loop, so that all who ask together go out together.
      setTimeout(() => {
        this.#look();
        setTimeout(() => this.#lookEarly(), EARLY_LOOK_MS);
      }, 0);
    });
  }

  #lookEarly(): void {
    if (this.#socket === undefined) return;
    this.#receive(this.#socket);
    if (this.#waiting.size === 0) this.#rest();
  }

  #look(): void {
    if (this.#timer === undefined) return;
    try {
      const index = Number(readFileSync(`/sys/class/net/${this.#bridge}/ifindex`, "utf8"));
      this.#socket ??= openPacketSocket(index, ETHERTYPE_ARP);
      this.#receive(this.#socket);
      this.#send(this.#socket);
    } catch {
      // The bridge has gone, and with it everybody's answer: the caller tells them that nobody answers.
      for (const address of this.#waiting.keys()) this.#settle(address, false);
    }
    this.#turn += 1;
    if (this.#waiting.size === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #receive(socket: PacketSocket): void {
    for (let reads = 0; reads < MOST_READS_A_TURN; reads += 1) {
      const frame = socket.receive();
      if (frame === undefined) return;
      const answer = parseArpReply(frame);
      if (answer === undefined) continue;
      if (this.#waiting.get(answer.address)?.asked.mac === answer.mac) this.#settle(answer.address, true);
    }
  }

  #send(socket: PacketSocket): void {
    let frames = 0;
    for (const [address, one] of this.#waiting) {
      if (one.nextTurn > this.#turn) continue;
      if (one.questions === MOST_QUESTIONS) {
        this.#settle(address, false);
        continue;
      }
      if (frames === MOST_FRAMES_A_TURN) return;
      frames += 1;
      // One that isn't taken counts too: its answer can't come, and the next turn asks again.
      socket.send(renderArpRequest(this.#asker, one.asked));
      one.questions += 1;
      one.nextTurn = this.#turn + TURNS_TO_ANSWER;
    }
  }

  #settle(address: string, isAnswered: boolean): void {
    const one = this.#waiting.get(address);
    this.#waiting.delete(address);
    one?.settle(isAnswered);
  }
}
