/** The page of one image: what it is, how far it has come, who uses it, and what was done with it. */

import type { AuditRow } from "../../../db/queries/audit.ts";
import type { ImageRow } from "../../../db/queries/images.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { Facts } from "../../ui/facts.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { formatSize } from "../../ui/size.ts";
import { Cell, Table, TitleCell } from "../../ui/table.tsx";
import { formatActor } from "../../ui/trail.tsx";
import { describeAudit } from "./describe-audit.ts";
import { ImageState } from "./image-state.tsx";
import { ImageTags } from "./image-tags.tsx";

export const IMAGE_ID = "image";

export type ImageView = {
  readonly image: ImageRow;
  readonly history: readonly AuditRow[];
  readonly csrf: string;
  readonly now: Date;
};

export function ImageRegion(props: { readonly view: ImageView }) {
  const { image, csrf } = props.view;
  return (
    <LiveRegion id={IMAGE_ID} path={`/images/${image.id}/live`}>
      <PageHead
        back={{ href: "/images", text: "Images" }}
        title={`${image.osf} ${image.version}`}
        status={
          <>
            <ImageState image={image} />
            {image.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
          </>
        }
        actions={<Actions view={props.view} />}
      />
      {image.fault === null ? null : <Notice tone="bad">{image.fault}</Notice>}
      <div class="grid-split">
        <div class="stack">
          <Card title="Tags">
            {image.tags.every((tag) => tag.isFixed) ? (
              <p>
                None besides its version. Desktops start from it once it is published, or has a tag that they
                follow.
              </p>
            ) : (
              <ImageTags image={image} csrf={csrf} back={`/images/${image.id}`} />
            )}
          </Card>
          <Card title="History" isFlush>
            <History view={props.view} />
          </Card>
        </div>
        <Card title="About" isFlush>
          <Facts facts={factsOf(props.view)} />
        </Card>
      </div>
    </LiveRegion>
  );
}

function factsOf({ image, now }: ImageView) {
  const running = `${image.running} ${image.running === 1 ? "desktop runs" : "desktops run"} on it`;
  return [
    ["OS flavour", <a href={`/images#osf-${image.osfId}`}>{image.osf}</a>],
    ["Tenant", image.tenant],
    ["Kind", image.kind === "disk" ? "Disk of virtual machines" : "Root file system of containers"],
    ["In use", running],
    ["Published", image.publishedAt === null ? undefined : <Moment at={image.publishedAt} now={now} />],
    ["Retired", image.retiredAt === null ? undefined : <Moment at={image.retiredAt} now={now} />],
    ["Added", <Moment at={image.createdAt} now={now} />],
    ["File", image.fileName],
    ["From", image.sourceUrl],
    ["Size", image.sizeBytes === null ? undefined : formatSize(image.sizeBytes)],
    ["SHA-256", image.sha256 === null ? undefined : <code>{image.sha256}</code>],
    ["Id", String(image.id)],
  ] as const;
}

function Actions(props: { readonly view: ImageView }) {
  const { image, csrf } = props.view;
  const path = `/images/${image.id}`;
  const form = { csrf, back: path };
  const isUsable = image.state === "ready" && !image.isBlocked;
  const isOut = image.publishedAt !== null && image.retiredAt === null;
  return (
    <>
      {isUsable && !isOut ? (
        <ButtonLink href={`${path}/publish`} label="Publish" icon="check" kind="main" />
      ) : null}
      {image.state === "ready" && image.retiredAt === null ? (
        <ButtonLink href={`${path}/tag`} label="Put a tag" icon="tag" />
      ) : null}
      {isOut ? <ButtonLink href={`${path}/retire`} label="Retire" icon="clock" /> : null}
      {image.isBlocked ? (
        <PostButton {...form} action={`${path}/unblock`} label="Unblock" icon="unblock" />
      ) : (
        <PostButton {...form} action={`${path}/block`} label="Block" icon="block" />
      )}
      <ButtonLink href={`/properties/image/${image.id}`} label="Properties" icon="info" />
      <ButtonLink href={`${path}/delete`} label="Delete" icon="trash" />
    </>
  );
}

function History(props: { readonly view: ImageView }) {
  const { history, now } = props.view;
  const columns = [{ title: "What" }, { title: "Who" }, { title: "When" }];
  return (
    <Table caption="What was done with this image" columns={columns}>
      {history.map((row) => {
        const { text, detail } = describeAudit(row);
        return (
          <tr>
            <TitleCell text={text} sub={detail} />
            <Cell label="Who">{formatActor(row.actor)}</Cell>
            <Cell label="When">
              <Moment at={row.at} now={now} />
            </Cell>
          </tr>
        );
      })}
    </Table>
  );
}
