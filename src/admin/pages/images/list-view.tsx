/** The images: each OS flavour with its versions and tags. */

import type { ImageRow } from "../../../db/queries/images.ts";
import type { OsfRow } from "../../../db/queries/osfs.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import { LiveRegion } from "../../ui/live-region.tsx";
import { Moment } from "../../ui/moment.tsx";
import { formatSize } from "../../ui/size.ts";
import { ActionsCell, Cell, NoteRow, Table, TitleCell } from "../../ui/table.tsx";
import { ImageState } from "./image-state.tsx";
import { ImageTags } from "./image-tags.tsx";

export const IMAGES_ID = "images";

export type FlavourView = { readonly osf: OsfRow; readonly images: readonly ImageRow[] };

export type ImagesView = {
  readonly flavours: readonly FlavourView[];
  readonly csrf: string;
  readonly now: Date;
  readonly hasTenants: boolean;
};

export function ImagesRegion(props: { readonly view: ImagesView }) {
  const { view } = props;
  return (
    <LiveRegion id={IMAGES_ID} path="/images/table" class="stack">
      {view.flavours.length === 0 ? (
        <Card>
          <Empty
            icon="image"
            title="No images yet"
            text="An OS flavour says what a desktop is made of and how much memory it gets; its images are the versions of it. Create a flavour, then add an image to it."
            actions={
              <ButtonLink href="/images/osf/new" label="Create an OS flavour" icon="plus" kind="main" />
            }
          />
        </Card>
      ) : (
        view.flavours.map((flavour) => <Flavour flavour={flavour} view={view} />)
      )}
    </LiveRegion>
  );
}

function Flavour(props: { readonly flavour: FlavourView; readonly view: ImagesView }) {
  const { flavour, view } = props;
  const { osf, images } = flavour;
  const tenant = view.hasTenants ? `${osf.tenant} · ` : "";
  return (
    <Card
      id={`osf-${osf.id}`}
      title={osf.name}
      isFlush
      aside={
        <div class="actions">
          <span class="card-note">
            {tenant}
            {osf.hypervisor === "kvm" ? "virtual machines, " : ""}
            {osf.isApplication ? "application, " : ""}
            {osf.memoryMb} MB, {osf.cpus} CPUs, {osf.desktops} {osf.desktops === 1 ? "desktop" : "desktops"}
          </span>
          <ButtonLink
            href={`/images/osf/${osf.id}/change`}
            label="Change"
            about={osf.name}
            icon="edit"
            isSmall
          />
          <ButtonLink
            href={`/properties/osf/${osf.id}`}
            label="Properties"
            about={osf.name}
            icon="tag"
            isSmall
          />
          <ButtonLink
            href={`/images/osf/${osf.id}/delete`}
            label="Delete"
            about={osf.name}
            icon="trash"
            isSmall
          />
          <ButtonLink
            href={`/images/new?osf=${osf.id}`}
            label="Add image"
            about={`to ${osf.name}`}
            icon="plus"
            isSmall
          />
        </div>
      }
    >
      {images.length === 0 ? (
        <p class="card-body card-note">
          No version yet. Desktops of this flavour can't start until it has an image with the tag that they
          follow.
        </p>
      ) : (
        <Versions flavour={flavour} view={view} />
      )}
    </Card>
  );
}

function Versions(props: { readonly flavour: FlavourView; readonly view: ImagesView }) {
  const { flavour, view } = props;
  const columns = [
    { title: "Version" },
    { title: "State" },
    { title: "Tags" },
    { title: "Size" },
    { title: "Added" },
    { title: "Actions", isHidden: true, isTight: true },
  ];
  return (
    <Table caption={`Images of ${flavour.osf.name}`} columns={columns}>
      {flavour.images.map((image) => (
        <>
          <tr class={image.fault ? "has-note" : undefined}>
            <TitleCell
              href={`/images/${image.id}`}
              text={image.version}
              sub={image.fileName}
              badge={image.isBlocked ? <Pill tone="warn" text="Blocked" /> : null}
            />
            <Cell label="State">
              <ImageState image={image} />
            </Cell>
            <Cell label="Tags" isEmpty={image.tags.every((tag) => tag.isFixed)}>
              <ImageTags image={image} csrf={view.csrf} />
            </Cell>
            <Cell label="Size" isEmpty={image.sizeBytes === null}>
              {formatSize(image.sizeBytes ?? 0)}
            </Cell>
            <Cell label="Added">
              <Moment at={image.createdAt} now={view.now} />
            </Cell>
            <ActionsCell>
              <ImageActions image={image} csrf={view.csrf} />
            </ActionsCell>
          </tr>
          {image.fault ? <NoteRow columns={columns.length}>{image.fault}</NoteRow> : null}
        </>
      ))}
    </Table>
  );
}

function ImageActions(props: { readonly image: ImageRow; readonly csrf: string }) {
  const { image, csrf } = props;
  const path = `/images/${image.id}`;
  const about = `version ${image.version}`;
  const look = { about, kind: "quiet", isSmall: true, isIconOnly: true } as const;
  return (
    <>
      {image.state === "ready" && image.publishedAt === null && !image.isBlocked ? (
        <ButtonLink href={`${path}/publish`} label="Publish" {...look} icon="check" />
      ) : null}
      {image.state === "ready" && image.retiredAt === null ? (
        <ButtonLink
          href={`${path}/tag`}
          label="Put a tag"
          about={`on ${about}`}
          icon="tag"
          kind="quiet"
          isSmall
          isIconOnly
        />
      ) : null}
      {image.isBlocked ? (
        <PostButton action={`${path}/unblock`} csrf={csrf} label="Unblock" {...look} icon="unblock" />
      ) : (
        <PostButton action={`${path}/block`} csrf={csrf} label="Block" {...look} icon="block" />
      )}
      <ButtonLink href={`/properties/image/${image.id}`} label="Properties" {...look} icon="info" />
      <ButtonLink href={`${path}/delete`} label="Delete" {...look} icon="trash" />
    </>
  );
}
