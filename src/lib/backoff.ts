/** How long to wait before try number `tries + 1`: doubling from `firstMs`, never over `mostMs`. */
export function backoffMs(
  tries: number,
  limits: { readonly firstMs: number; readonly mostMs: number },
): number {
  if (tries <= 0) return 0;
  return Math.min(limits.mostMs, limits.firstMs * 2 ** Math.min(tries - 1, 30));
}
