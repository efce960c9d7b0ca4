/**
 * Talk and logs, to standard error. What can't be said is lost, such as when the disk of the log file is full: whoever only wanted
 * to tell something must not end by it, since the desktops of a box need its processes then more than ever.
 */
export function tell(text: string): void {
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", ignore);
  process.stderr.write(text);
}

function ignore(): void {
  // There is no other place to say it.
}
