/** Throws when a fact that must hold doesn't. */
export function hold(fact: boolean, what: string): void {
  if (!fact) throw new Error(`this must hold: ${what}`);
}
