import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Says at `path` which of the desktop's lives this is. A container finds it there from its node, and keeps that. */
export function noteIncarnation(path: string, incarnation: string): void {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, `${incarnation}\n`, { mode: 0o644 });
}
