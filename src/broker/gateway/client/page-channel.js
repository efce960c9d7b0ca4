/**
 * The WebSocket as noVNC wants it, which takes every frame for RFB: texts on it are ours and go elsewhere. There before
 * noVNC is, as the desktop starts meanwhile; what comes early is kept.
 */

/** More than noVNC says at once. */
const HELD_BYTES = 16 * 1024;

export class PageChannel {
  binaryType = "arraybuffer";
  onopen = null;
  onclose = null;
  onerror = null;
  /** noVNC sets it once it is there. */
  #onmessage = null;
  #early = [];
  /** Said by noVNC in this turn, and not sent. */
  #held = new Uint8Array(HELD_BYTES);
  #heldBytes = 0;
  #socket;

  /** `onText` gets what the gateway says, `onEnd` the end of the WebSocket, once. */
  constructor(address, { onText, onEnd }) {
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      if (typeof event.data === "string") onText(JSON.parse(event.data));
      else if (this.#onmessage) this.#onmessage(event);
      else this.#early.push(event);
    };
    socket.onclose = (event) => {
      onEnd();
      this.onclose?.(event);
    };
    this.#socket = socket;
  }

  get onmessage() {
    return this.#onmessage;
  }

  set onmessage(handler) {
    this.#onmessage = handler;
    if (handler) for (const event of this.#early.splice(0)) handler(event);
  }

  get protocol() {
    return this.#socket.protocol;
  }

  get readyState() {
    return this.#socket.readyState;
  }

  /**
   * What is said in one turn goes as one message: noVNC answers two questions of Xvnc's with each picture, and gateway and
   * server would be woken for each of the answers. The bytes are noVNC's own, which it writes over.
   */
  send(bytes) {
    if (this.#heldBytes + bytes.length > HELD_BYTES) this.#sendHeld();
    if (bytes.length > HELD_BYTES) return this.#socket.send(bytes);
    if (this.#heldBytes === 0) queueMicrotask(() => this.#sendHeld());
    this.#held.set(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
  }

  close() {
    this.#sendHeld();
    this.#socket.close();
  }

  say(message) {
    this.#sendHeld();
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #sendHeld() {
    const { readyState } = this.#socket;
    if (this.#heldBytes > 0 && readyState === WebSocket.OPEN)
      this.#socket.send(this.#held.subarray(0, this.#heldBytes));
    this.#heldBytes = 0;
  }
}
