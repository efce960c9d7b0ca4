/** How an image is, in a pill, and how far its transfer has come. */

import type { ImageRow } from "../../../db/queries/images.ts";
import { Pill } from "../../../ui/pill.tsx";
import type { Tone } from "../../../ui/tone.ts";
import { ShareBar } from "../../ui/share-bar.tsx";
import { formatSize } from "../../ui/size.ts";

const STATES = {
  new: { tone: "busy", text: "Waiting" },
  fetching: { tone: "busy", text: "Fetching" },
  verifying: { tone: "busy", text: "Verifying" },
  ready: { tone: "good", text: "Ready" },
  failed: { tone: "bad", text: "Failed" },
} as const satisfies Record<ImageRow["state"], { readonly tone: Tone; readonly text: string }>;

export function ImageState(props: { readonly image: ImageRow }) {
  const { image } = props;
  const state = describeState(image);
  const { doneBytes, totalBytes } = image;
  if (image.state !== "fetching" || doneBytes === null) return <Pill tone={state.tone} text={state.text} />;
  return (
    <div class="progress">
      <Pill tone={state.tone} text={state.text} />
      <span class="row-sub">{describeProgress(doneBytes, totalBytes)}</span>
      {totalBytes === null ? null : (
        <ShareBar
          shares={[
            { tone: "busy", count: doneBytes },
            { tone: "idle", count: Math.max(0, totalBytes - doneBytes) },
          ]}
        />
      )}
    </div>
  );
}

function describeState(image: ImageRow): { readonly tone: Tone; readonly text: string } {
  if (image.state !== "ready") return STATES[image.state];
  if (image.retiredAt !== null) return { tone: "idle", text: "Retired" };
  return image.publishedAt === null ? STATES.ready : { tone: "good", text: "Published" };
}

function describeProgress(doneBytes: number, totalBytes: number | null): string {
  if (totalBytes === null || totalBytes === 0) return formatSize(doneBytes);
  const percent = Math.floor((doneBytes / totalBytes) * 100);
  return `${percent} % of ${formatSize(totalBytes)}`;
}
