/**
 * A look at the database that many may ask for: one at a time, and once more for all who asked meanwhile. `look` reports
 * its own failures and never rejects.
 */
export function oneAtATime(look: () => Promise<void>): () => Promise<void> {
  let isLooking = false;
  let isAskedAgain = false;
  return async function lookInTurn() {
    isAskedAgain = true;
    if (isLooking) return;
    isLooking = true;
    while (isAskedAgain) {
      isAskedAgain = false;
      await look();
    }
    isLooking = false;
  };
}
