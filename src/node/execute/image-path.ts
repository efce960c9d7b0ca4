import type { DiId } from "../../domain/ids.ts";
import type { Layout } from "../../domain/node/layout.ts";

/** Where the archive of an image lies once it has passed its checks. */
export function imagePath(layout: Layout, image: { readonly id: DiId; readonly fileName: string }): string {
  return `${layout.imagesFolder}/${image.id}-${image.fileName}`;
}
