/** What a broker says, as it may stand on a person's terminal: nothing in it moves the cursor or types for them. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
