/** The settings file with some set: their lines are replaced where they stand, new ones added at the end. Pure. */
export function mergeSettings(text: string, settings: Readonly<Record<string, string>>): string {
  const left = new Map(Object.entries(settings));
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const merged = lines.flatMap((line) => {
    const name = /^\s*([A-Z0-9_]+)\s*=/.exec(line)?.[1] ?? "";
    if (!(name in settings)) return [line];
    const value = left.get(name);
    left.delete(name);
    // Of a name that stood there twice only the first place is kept.
    return value === undefined ? [] : [`${name}=${value}`];
  });
  return `${[...merged, ...[...left].map(([name, value]) => `${name}=${value}`)].join("\n")}\n`;
}
