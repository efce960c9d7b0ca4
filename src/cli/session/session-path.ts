import { AppError } from "../../lib/errors.ts";

/** Sessions have no names, so they are named by id alone; throws `bad-input` for anything else. */
export function sessionPath(text: string): string {
  if (/^[0-9]+$/.test(text)) return `/sessions/${text}`;
  throw new AppError("bad-input", `SESSION is an id, see \`qvd session list\`; ${text} is none`, {
    field: "SESSION",
  });
}
