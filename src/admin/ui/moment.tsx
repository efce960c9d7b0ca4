/** A point in time, told as distance from now; the exact time is in the tooltip and for programs. */

export function Moment(props: { readonly at: Date; readonly now: Date }) {
  return (
    <time datetime={props.at.toISOString()} title={`${formatInstant(props.at)} UTC`} data-distance>
      {formatDistance(props.now.getTime() - props.at.getTime())}
    </time>
  );
}

/** `2026-08-22 14:05:09`, in UTC. */
export function formatInstant(at: Date): string {
  return at.toISOString().slice(0, 19).replace("T", " ");
}

/** The same words as static/app.js uses when it keeps them current. */
export function formatDistance(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000);
  // What lies a little ahead is a clock that differs, not a plan.
  if (seconds < -60) return `in ${formatDuration(-elapsedMs)}`;
  if (seconds < 5) return "just now";
  return `${formatDuration(elapsedMs)} ago`;
}

/** The largest unit that fits, of whole seconds to days. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day" : `${days} days`;
}
