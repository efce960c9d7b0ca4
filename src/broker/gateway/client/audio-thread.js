/**
 * Plays samples as they come, in the browser's audio thread. Starts when a little lies ready, so that a late packet
 * isn't heard as a gap; when too much does, the oldest is left out, so that sound never lags behind the picture.
 */

/** In frames of 48,000 a second: 60 ms to begin with, 260 at most, of which 120 stay. */
const [BEGIN, MOST, KEPT] = [2880, 12_480, 5760];

class Player extends AudioWorkletProcessor {
  #parts = [];
  #ready = 0;
  /** How much of the first part was played. */
  #at = 0;
  #isPlaying = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#parts.push(data);
      this.#ready += data[0].length;
      if (this.#ready > MOST) this.#skip(this.#ready - KEPT);
    };
  }

  process(_inputs, [output]) {
    const wanted = output[0].length;
    if (!this.#isPlaying) this.#isPlaying = this.#ready >= BEGIN;
    if (!this.#isPlaying) return true;
    for (let done = 0; done < wanted; ) {
      const part = this.#parts[0];
      if (part === undefined) {
        this.#isPlaying = false;
        break;
      }
      const count = Math.min(wanted - done, part[0].length - this.#at);
      output.forEach((channel, index) => {
        channel.set((part[index] ?? part[0]).subarray(this.#at, this.#at + count), done);
      });
      done += count;
      this.#skip(count);
    }
    return true;
  }

  #skip(count) {
    let left = count;
    while (left > 0 && this.#parts.length > 0) {
      const here = Math.min(left, this.#parts[0][0].length - this.#at);
      this.#at += here;
      this.#ready -= here;
      left -= here;
      if (this.#at < this.#parts[0][0].length) break;
      this.#parts.shift();
      this.#at = 0;
    }
  }
}

/** Hands on what a microphone hears, 20 ms at a time, as signed 16-bit samples. */
class Recorder extends AudioWorkletProcessor {
  #samples = new Int16Array(Math.round(sampleRate / 50));
  #filled = 0;

  process([input]) {
    for (const value of input[0] ?? []) {
      this.#samples[this.#filled++] = Math.max(-1, Math.min(1, value)) * 32_767;
      if (this.#filled < this.#samples.length) continue;
      this.port.postMessage(this.#samples.slice());
      this.#filled = 0;
    }
    return true;
  }
}

registerProcessor("qvd-player", Player);
registerProcessor("qvd-recorder", Recorder);
