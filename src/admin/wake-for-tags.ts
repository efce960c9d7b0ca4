import type { AdminDeps } from "./deps.ts";

/** After tags may have moved: nodes look at the images, and at the desktops that follow the tags, which were given times to restart. */
export function wakeForTags({ wake }: Pick<AdminDeps, "wake">): void {
  wake("image");
  wake("vm");
}
