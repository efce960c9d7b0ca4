/**
 * Adding an image: its file is sent from here, laid into the folder by hand, or fetched by a node from an
 * address; then what it is.
 */

import type { OsfRow } from "../../../db/queries/osfs.ts";
import { ButtonLink, SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { FileField, SelectField, TextField } from "../../../ui/field.tsx";
import { PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { type FormState, filled } from "../../form.ts";
import { Narrow } from "../../ui/narrow.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { formatSize } from "../../ui/size.ts";
import { UploadForm } from "../../ui/upload-form.tsx";
import type { IncomingFile } from "../../upload/list-incoming.ts";

export type EnrolViewProps = {
  readonly osfs: readonly OsfRow[];
  readonly files: readonly IncomingFile[];
  readonly form: FormState;
  readonly csrf: string;
};

export function EnrolView(props: EnrolViewProps) {
  const { osfs, form, csrf } = props;
  return (
    <Narrow>
      <PageHead
        title="Add an image"
        lead="For containers an image is a root file system as tar, tar.gz, tar.xz, tar.zst or tar.bz2; for virtual machines a disk as qcow2 or raw."
        back={{ href: "/images", text: "Images" }}
      />
      {osfs.length === 0 ? (
        <Card>
          <Empty
            icon="image"
            title="First an OS flavour"
            text="An image is a version of an OS flavour, which says how much memory its desktops get."
            actions={
              <ButtonLink href="/images/osf/new" label="Create an OS flavour" icon="plus" kind="main" />
            }
          />
        </Card>
      ) : (
        <div class="stack">
          <Card title="1. Send the file">
            <UploadForm action={`/images/upload?osf=${form.values.osfId ?? ""}`} csrf={csrf}>
              <FileField
                name="file"
                label="Image file on this computer"
                accept=".tar,.gz,.tgz,.xz,.txz,.zst,.bz2,.qcow2,.img,.raw"
                isRequired
              />
            </UploadForm>
          </Card>
          <Card title="2. Say what it is">
            <Enrol {...props} />
          </Card>
          <Card title="Or let a node fetch it">
            <Fetch {...props} />
          </Card>
        </div>
      )}
    </Narrow>
  );
}

function Enrol(props: EnrolViewProps) {
  const { files } = props;
  const form = formOf(props, "file");
  if (files.length === 0) {
    return (
      <Empty
        icon="upload"
        title="No file is waiting"
        text="Send one above, or copy one into the incoming folder on the server and reload this page."
      />
    );
  }
  return (
    <PostForm action="/images" csrf={props.csrf}>
      {form.errors[""] ? <Notice tone="bad">{form.errors[""]}</Notice> : null}
      <SelectField
        name="fileName"
        label="File"
        choices={files.map((file) => ({
          value: file.name,
          text: `${file.name} (${formatSize(file.sizeBytes)})`,
        }))}
        value={form.values.fileName}
        error={form.errors.fileName}
        isRequired
      />
      <CommonFields {...props} form={form} />
    </PostForm>
  );
}

function Fetch(props: EnrolViewProps) {
  const form = formOf(props, "url");
  return (
    <PostForm action="/images" csrf={props.csrf}>
      <input type="hidden" name="from" value="url" />
      {form.errors[""] ? <Notice tone="bad">{form.errors[""]}</Notice> : null}
      <TextField
        name="sourceUrl"
        label="Address"
        value={form.values.sourceUrl}
        error={form.errors.sourceUrl}
        placeholder="https://images.example.org/office.tar.zst"
        hint="With http or https, on the public internet unless this box is set to reach the site's own servers."
        isRequired
      />
      <CommonFields {...props} form={form} idPrefix="url-" />
    </PostForm>
  );
}

/** What was typed into the other form is not this one's. */
function formOf({ form }: EnrolViewProps, from: "file" | "url"): FormState {
  const isOwn = (form.values.from === "url") === (from === "url");
  return isOwn ? form : { values: filled({ osfId: form.values.osfId ?? "" }), errors: {} };
}

function CommonFields(props: EnrolViewProps & { readonly idPrefix?: string }) {
  const { osfs, idPrefix = "" } = props;
  const { values, errors } = props.form;
  const flavours = osfs.map((osf) => ({ value: String(osf.id), text: osf.name }));
  return (
    <>
      <SelectField
        name="osfId"
        idPrefix={idPrefix}
        label="OS flavour"
        choices={flavours}
        value={values.osfId ?? (flavours.length === 1 ? flavours[0]?.value : undefined)}
        error={errors.osfId}
        prompt="Choose…"
        isRequired
      />
      <TextField
        name="version"
        idPrefix={idPrefix}
        label="Version"
        value={values.version}
        error={errors.version}
        hint="Leave it empty for one made of today's date."
      />
      <TextField
        name="sha256"
        idPrefix={idPrefix}
        label="SHA-256, if you know it"
        value={values.sha256}
        error={errors.sha256}
        hint="The image is refused when its file does not have this checksum."
      />
      <div class="actions">
        <SubmitButton label="Add the image" kind="main" />
        <ButtonLink href="/images" label="Cancel" kind="quiet" />
      </div>
    </>
  );
}
