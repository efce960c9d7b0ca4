import { asId, type SessionId } from "../../domain/ids.ts";

/** What a visit at a console, which is nobody's session, has in the place of its number. */
export const VISIT = asId<SessionId>(0);

/**
 * Sessions of other boxes' brokers that this worker leads to desktops of its own box. They are those brokers' to record, and
 * break off when this process ends.
 */
export class Relays {
  /** A browser's has a connection for each of its channels. */
  readonly #connections = new Map<SessionId, number>();

  get ids(): readonly SessionId[] {
    return [...this.#connections.keys()];
  }

  get count(): number {
    return this.#connections.size;
  }

  begin(id: SessionId): void {
    if (id === VISIT) return;
    this.#connections.set(id, (this.#connections.get(id) ?? 0) + 1);
  }

  end(id: SessionId): void {
    const left = (this.#connections.get(id) ?? 0) - 1;
    if (left > 0) this.#connections.set(id, left);
    else this.#connections.delete(id);
  }
}
