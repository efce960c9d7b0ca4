/** The version an image gets when nobody names one: the day and a number, as in 2026-03-01-000. */

/** `now` decides the day (UTC); the first number that `taken` leaves is used. */
export function chooseVersion(now: Date, taken: ReadonlySet<string>): string {
  const day = now.toISOString().slice(0, 10);
  for (let number = 0; ; number++) {
    const version = `${day}-${String(number).padStart(3, "0")}`;
    if (!taken.has(version)) return version;
  }
}
