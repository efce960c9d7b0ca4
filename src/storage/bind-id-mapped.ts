/**
 * An id-mapped bind: a folder shows up elsewhere with its ids shifted into a desktop's range, while what lies
 * on disk keeps its plain ids. That is how one unpacked image serves every desktop, and how a home stays
 * readable when the desktop's range changes.
 */

import { closeSync } from "node:fs";
import type { IdMap } from "./id-maps.ts";
import type { Libc } from "./libc.ts";

export type BindOptions = {
  readonly source: string;
  /** An existing folder. */
  readonly target: string;
  readonly isReadOnly: boolean;
  /** Only for a system that is run from: people become root by setuid programs. */
  readonly allowsSetuid?: boolean;
};

/** Synchronous on purpose: a descriptor of a detached mount must not outlive this call. */
export function bindIdMapped(libc: Libc, namespace: IdMap, options: BindOptions): void {
  const tree = libc.openTree(options.source);
  try {
    libc.setMountAttributes(tree, {
      isReadOnly: options.isReadOnly,
      allowsSetuid: options.allowsSetuid ?? false,
      userNamespace: namespace.descriptor,
    });
    libc.moveMount(tree, options.target);
  } finally {
    closeSync(tree);
  }
}
