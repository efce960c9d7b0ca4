/**
 * An actor as it is written down (`user:ann@acme`) in the words of a sentence. Who belongs to no tenant is
 * marked `*` in what is written, which says nothing to a reader.
 */
export function nameActor(written: string): string {
  const at = written.indexOf(":");
  const kind = written.slice(0, Math.max(0, at));
  const name = written.slice(at + 1);
  switch (kind) {
    case "user":
      return name;
    case "administrator":
      return `administrator ${name.replace(/@\*$/, "")}`;
    case "vm":
      return "the desktop itself";
    case "node":
      return `node ${name}`;
    case "system":
      return `the system (${name})`;
    default:
      return written;
  }
}
