import type { Action } from "../domain/access/action.ts";
import { formatActor } from "../domain/access/actor.ts";
import { decideAccess, type Subject } from "../domain/access/decide-access.ts";
import { AppError } from "../lib/errors.ts";
import type { Context } from "./context.ts";

/** The words for a user who asks for somebody else's desktop: those of QVD, which clients show. */
const NOT_YOURS = "You are not allowed to access requested virtual machine";

/**
 * Throws unless the context's actor may do `action` to `subject`: `not-found` where they may not even learn
 * that it exists (`what` names it in the sentence), `forbidden` otherwise.
 */
export function authorize(
  context: Context,
  action: Action,
  subject: Subject & { readonly what: string },
): void {
  const access = decideAccess(context.actor, action, subject);
  if (access === "allowed") return;
  if (access === "hidden") throw new AppError("not-found", `${subject.what} does not exist`);
  if (context.actor.kind === "user" && subject.ownerId !== undefined) {
    throw new AppError("forbidden", NOT_YOURS);
  }
  throw new AppError(
    "forbidden",
    `${formatActor(context.actor)} may not do ${action} on ${subject.what}; an administrator can give the right by a role`,
  );
}
