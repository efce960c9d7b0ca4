/** Two scripts for a page of a desktop: one listens to what it plays from the beginning, one says what that is now. */

/** Has whatever the page plays looked at on its way to the loudspeaker. */
export const LISTEN = `(() => {
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...more) {
    if (to === this.context.destination) {
      window.heard = this.context.createAnalyser();
      window.heard.fftSize = 8192;
      connect.call(this, window.heard);
    }
    return connect.call(this, to, ...more);
  };
})()`;

/** The strongest pitch of the last sixth of a second; 0 when nothing is heard. */
export const PITCH = `(() => {
  if (!window.heard) return 0;
  const levels = new Float32Array(window.heard.frequencyBinCount);
  window.heard.getFloatFrequencyData(levels);
  const loudest = levels.reduce((best, level, at) => (level > levels[best] ? at : best), 0);
  return levels[loudest] > -60 ? Math.round(loudest * window.heard.context.sampleRate / window.heard.fftSize) : 0;
})()`;
