/**
 * Sound of the desktop, and this computer's microphone for it. Each has a button and a WebSocket of its own, opened when
 * the button is pressed and closed when it is pressed again. Whoever wanted to hear once hears the next time, too; a
 * microphone is asked for each time.
 */

const byId = (id) => document.getElementById(id);
const HEARD_EVERY = 5;
const OPUS = { codec: "opus", sampleRate: 48_000, numberOfChannels: 2 };
const FRAME_US = 20_000;
/** More than this waits in the socket when the line is too slow; it is dropped here already. */
const MOST_UNSENT_BYTES = 20_000;
const REMEMBERED = "qvd-sound";
const CLOSED = 3;

export class Sound {
  #openSocket;
  #module;
  #hearing = new Way("sound", () => this.#hear());
  #speaking = new Way("microphone", () => this.#speak());

  /** `openSocket` opens a WebSocket of that kind; `module` is the worklet's address. */
  constructor({ openSocket, module }) {
    this.#openSocket = openSocket;
    this.#module = module;
    byId("sound").addEventListener("click", () => {
      remember(!this.#hearing.isOn);
      void this.#hearing.toggle();
    });
    byId("microphone").addEventListener("click", () => void this.#speaking.toggle());
  }

  /** The desktop is shown, and this is what its rules allow. */
  offer({ playback, microphone }) {
    byId("sound").hidden = playback === "never";
    byId("microphone").hidden = microphone === "never";
    const wanted = remembered() ?? (playback === "on" ? "on" : "off");
    if (playback !== "never" && wanted === "on") void this.#hearing.start();
  }

  /** The desktop is shown no more. */
  end() {
    this.#hearing.stop();
    this.#speaking.stop();
  }

  #hear() {
    return withContext({ sampleRate: OPUS.sampleRate, latencyHint: "interactive" }, async (context) => {
      const socket = await this.#open(context, "sound", (await playsOpus()) ? "opus,pcm" : "pcm");
      const options = { numberOfInputs: 0, outputChannelCount: [2] };
      const player = new AudioWorkletNode(context, "qvd-player", options);
      player.connect(context.destination);
      const play = (channels) =>
        player.port.postMessage(
          channels,
          channels.map(({ buffer }) => buffer),
        );
      receive(socket, play);
      // Browsers play nothing before somebody has touched the page.
      const { signal } = this.#hearing;
      for (const kind of ["pointerdown", "keydown"])
        window.addEventListener(kind, () => void context.resume(), { capture: true, signal });
      return { context, socket };
    });
  }

  async #speak() {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    const stop = () => {
      for (const track of stream.getTracks()) track.stop();
    };
    try {
      // A context of the microphone's own rate: Firefox joins none of another with it.
      return await withContext({ latencyHint: "interactive" }, async (context) => {
        const socket = await this.#open(context, "microphone", String(context.sampleRate));
        const recorder = new AudioWorkletNode(context, "qvd-recorder", { numberOfOutputs: 0 });
        context.createMediaStreamSource(stream).connect(recorder);
        recorder.port.onmessage = ({ data }) => {
          const isFree = socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_UNSENT_BYTES;
          if (isFree) socket.send(data);
        };
        socket.onmessage = ({ data }) => void readHead(data);
        return { context, socket, stop };
      });
    } catch (error) {
      stop();
      throw error;
    }
  }

  async #open(context, kind, as) {
    await context.audioWorklet.addModule(this.#module);
    const socket = await this.#openSocket(kind, { as });
    socket.binaryType = "arraybuffer";
    return socket;
  }
}

/** One way of sound, and its button. */
class Way {
  #button;
  #begin;
  #running;
  #ended = new AbortController();

  constructor(id, begin) {
    this.#button = byId(id);
    this.#begin = begin;
  }

  get isOn() {
    return this.#button.getAttribute("aria-pressed") === "true";
  }

  get signal() {
    return this.#ended.signal;
  }

  async toggle() {
    if (this.isOn) this.stop();
    else await this.start();
  }

  async start() {
    if (this.isOn) return;
    this.#show(true);
    this.#ended = new AbortController();
    const { signal } = this.#ended;
    try {
      const running = await this.#begin();
      if (signal.aborted) return close(running);
      this.#running = running;
      running.socket.onclose = () => {
        if (!signal.aborted) this.stop();
      };
      if (running.socket.readyState === CLOSED) this.stop();
    } catch (error) {
      this.stop();
      this.#button.title = `${this.#button.dataset.name}: ${error.message}`;
    }
  }

  stop() {
    this.#ended.abort();
    this.#show(false);
    const running = this.#running;
    this.#running = undefined;
    if (running) close(running);
  }

  #show(isOn) {
    this.#button.setAttribute("aria-pressed", String(isOn));
    this.#button.title = this.#button.dataset.name;
  }
}

function close({ context, socket, stop }) {
  socket.close();
  void context.close();
  stop?.();
}

async function withContext(options, work) {
  const context = new AudioContext(options);
  try {
    return await work(context);
  } catch (error) {
    void context.close();
    throw error;
  }
}

/** Plays what comes, and says how much has come: the gateway drops what would come too late. */
function receive(socket, play) {
  let take;
  let count = 0;
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") {
      take = readHead(data) === "opus" ? decoder(play) : (bytes) => play(split(bytes));
      return;
    }
    take?.(data);
    count += 1;
    if (count % HEARD_EVERY === 0) socket.send(String(count));
  };
}

function readHead(text) {
  const { codec, text: problem } = JSON.parse(text);
  if (codec === undefined) byId("sound-state").textContent = problem;
  return codec;
}

async function playsOpus() {
  if (!("AudioDecoder" in window)) return false;
  return (await AudioDecoder.isConfigSupported(OPUS)).supported === true;
}

function decoder(play) {
  let count = 0;
  const decoding = new AudioDecoder({
    output: (sound) => {
      const channels = Array.from({ length: sound.numberOfChannels }, (_, planeIndex) => {
        const channel = new Float32Array(sound.numberOfFrames);
        sound.copyTo(channel, { planeIndex, format: "f32-planar" });
        return channel;
      });
      sound.close();
      play(channels);
    },
    // Its WebSocket goes on; what can't be decoded isn't heard.
    error: () => {},
  });
  decoding.configure(OPUS);
  return (data) => {
    if (decoding.state !== "configured") return;
    decoding.decode(new EncodedAudioChunk({ type: "key", timestamp: count++ * FRAME_US, data }));
  };
}

/** Two channels of 16-bit samples, one after the other. */
function split(bytes) {
  const samples = new Int16Array(bytes);
  const channels = [new Float32Array(samples.length / 2), new Float32Array(samples.length / 2)];
  for (const [at, value] of samples.entries()) channels[at % 2][at >> 1] = value / 32_768;
  return channels;
}

/** A browser that keeps nothing for this place asks each time. */
function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(isOn) {
  try {
    localStorage.setItem(REMEMBERED, isOn ? "on" : "off");
  } catch {
    // Then the next visit begins in silence.
  }
}
