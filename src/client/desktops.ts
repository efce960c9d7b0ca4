/** What a person may choose from. Pure. */

import { z } from "zod";
import { AppError } from "../lib/errors.ts";
import { plainText } from "./plain-text.ts";

const Listed = z.array(
  z.object({
    id: z.int(),
    name: z.string().transform(plainText),
    state: z.string().transform(plainText),
    blocked: z.int(),
    is_application: z.int().optional(),
  }),
);

export type ListedDesktop = z.infer<typeof Listed>[number];

export function parseDesktops(body: string): readonly ListedDesktop[] {
  try {
    return Listed.parse(JSON.parse(body));
  } catch (cause) {
    throw new AppError("protocol", "the broker's list of desktops can't be read; is it a QVD broker?", {
      cause,
    });
  }
}

/**
 * The desktop that `wish` names, by id or name; without a wish the only one there is. Undefined when a person must
 * choose. Throws when there is nothing to choose, or no such desktop.
 */
export function chooseDesktop(
  desktops: readonly ListedDesktop[],
  wish: string | undefined,
): ListedDesktop | undefined {
  const open = desktops.filter(({ blocked }) => blocked === 0);
  if (wish === undefined) {
    if (desktops.length === 0)
      throw new AppError("not-found", "no desktop is yours; ask an administrator for one");
    if (open.length === 0) throw new AppError("blocked", "your desktops are blocked; ask an administrator");
    return open.length === 1 ? open[0] : undefined;
  }
  const named = desktops.filter((one) => isNamed(one, wish));
  const [first] = named;
  if (first === undefined) {
    const names = desktops.map(({ name }) => name).join(", ") || "none";
    throw new AppError("not-found", `no desktop of yours is called ${wish}; there are: ${names}`);
  }
  if (named.length > 1)
    throw new AppError(
      "conflict",
      `several desktops are called ${wish}: say one of the ids ${named.map(({ id }) => id).join(", ")}`,
    );
  if (first.blocked !== 0)
    throw new AppError("blocked", `desktop ${first.name} is blocked; ask an administrator`);
  return first;
}

export function isNamed({ id, name }: ListedDesktop, wish: string): boolean {
  return String(id) === wish || name === wish;
}
