/**
 * The WebSocket as noVNC wants it, which takes every frame for RFB: texts on it are ours and go elsewhere. There before
 * noVNC is, as the desktop starts meanwhile; what comes early is kept.
 */

export class PageChannel {
  binaryType = "arraybuffer";
  onopen = null;
  onclose = null;
  onerror = null;
  /** noVNC sets it once it is there. */
  #onmessage = null;
  #early = [];
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

  send(data) {
    this.#socket.send(data);
  }

  close() {
    this.#socket.close();
  }

  say(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}
