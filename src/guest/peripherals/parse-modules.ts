/** `pactl list short modules`: one line a module, its number, its name and its arguments between tabs. */
export function parseModules(
  text: string,
): readonly { readonly id: string; readonly words: readonly string[] }[] {
  return text.split("\n").flatMap((line) => {
    const [id = "", , words = ""] = line.split("\t");
    return /^\d+$/.test(id) ? [{ id, words: words.split(" ") }] : [];
  });
}
