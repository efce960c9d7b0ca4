/**
 * Lets few handshakes into a turn of the event loop: each costs a third of a millisecond, and the bytes of everybody's
 * sessions wait until the turn is over. Whoever is over the number stays unread until a later turn.
 */

type Paused = { pause(): unknown; resume(): unknown };

const MOST_IN_A_TURN = 8;

export class HandshakePace {
  readonly #nextTurn: (call: () => void) => void;
  #waiting: Paused[] = [];
  #inTurn = 0;
  #isScheduled = false;

  constructor(nextTurn: (call: () => void) => void = setImmediate) {
    this.#nextTurn = nextTurn;
  }

  /** For a connection of which nothing has been read. */
  admit(socket: Paused): void {
    this.#schedule();
    if (this.#inTurn < MOST_IN_A_TURN) this.#inTurn++;
    else {
      socket.pause();
      this.#waiting.push(socket);
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    const next = this.#waiting.slice(0, MOST_IN_A_TURN);
    this.#waiting = this.#waiting.slice(MOST_IN_A_TURN);
    this.#inTurn = next.length;
    // One that is gone meanwhile takes no harm by it.
    for (const socket of next) socket.resume();
    if (this.#inTurn > 0) this.#schedule();
  }
}
