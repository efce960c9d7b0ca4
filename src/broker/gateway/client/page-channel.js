/**
 * The WebSocket as noVNC wants it, which takes every frame for RFB: texts on it are ours and go elsewhere. There before
 * noVNC is, as the desktop starts meanwhile; what comes early is kept.
 *
 * A line that swallows everything ends nothing: the browser would wait for a quarter of an hour, with a picture that stands
 * still. So a gateway that is silent is asked, and is lost when it hasn't answered.
 */

/** More than noVNC says at once. */
const HELD_BYTES = 16 * 1024;
const LOOK_MS = 10_000;
/** Looks without a word from when it was asked, or from the beginning. A slow line may take long for one picture. */
const MOST_SILENT_LOOKS = 3;

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
  #watch;
  #wasHeard = false;
  #silentLooks = 0;
  /** One of before doesn't answer, and is no less there. */
  #doesAnswer = false;

  /** `onText` gets what the gateway says, `onEnd` the end of the WebSocket, once. */
  constructor(address, { onText, onEnd, lookMs = LOOK_MS }) {
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      this.#wasHeard = true;
      if (typeof event.data === "string") this.#take(JSON.parse(event.data), onText);
      else if (this.#onmessage) this.#onmessage(event);
      else this.#early.push(event);
    };
    socket.onclose = (event) => {
      clearInterval(this.#watch);
      onEnd();
      this.onclose?.(event);
    };
    this.#socket = socket;
    this.#watch = setInterval(() => this.#look(), lookMs);
  }

  #take(message, onText) {
    if (message.type === "pong") this.#doesAnswer = true;
    else onText(message);
  }

  #look() {
    const isOpen = this.#socket.readyState === WebSocket.OPEN;
    if (this.#wasHeard) this.#silentLooks = 0;
    else this.#silentLooks += 1;
    this.#wasHeard = false;
    if (this.#silentLooks > MOST_SILENT_LOOKS && (this.#doesAnswer || !isOpen)) this.#give();
    // The first time it is silent; and at once, to know whether it answers.
    else if (isOpen && (this.#silentLooks === 1 || !this.#doesAnswer)) this.say({ type: "ping" });
  }

  /** Its end would come when the line is back, or never. */
  #give() {
    const { onclose } = this.#socket;
    this.#socket.onclose = null;
    this.#socket.onmessage = null;
    this.#socket.close();
    onclose({ code: 1006, reason: "", wasClean: false });
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
