/** Adding an image: first the file, sent from here or laid into the folder by hand, then what it is. */

import type { OsfRow } from "../../../db/queries/osfs.ts";
import type { FormState } from "../../form.ts";
import { ButtonLink, SubmitButton } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { Empty } from "../../ui/empty.tsx";
import { FileField, SelectField, TextField } from "../../ui/field.tsx";
import { PostForm } from "../../ui/form.tsx";
import { Narrow } from "../../ui/narrow.tsx";
import { Notice } from "../../ui/notice.tsx";
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
        lead="An image is a root file system as tar, tar.gz, tar.xz or tar.zst."
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
                accept=".tar,.gz,.tgz,.xz,.txz,.zst"
                isRequired
              />
            </UploadForm>
          </Card>
          <Card title="2. Say what it is">
            <Enrol {...props} />
          </Card>
        </div>
      )}
    </Narrow>
  );
}

function Enrol(props: EnrolViewProps) {
  const { osfs, files, form, csrf } = props;
  const { values, errors } = form;
  if (files.length === 0) {
    return (
      <Empty
        icon="upload"
        title="No file is waiting"
        text="Send one above, or copy one into the incoming folder on the server and reload this page."
      />
    );
  }
  const flavours = osfs.map((osf) => ({ value: String(osf.id), text: osf.name }));
  return (
    <PostForm action="/images" csrf={csrf}>
      {errors[""] ? <Notice tone="bad">{errors[""]}</Notice> : null}
      <SelectField
        name="fileName"
        label="File"
        choices={files.map((file) => ({
          value: file.name,
          text: `${file.name} (${formatSize(file.sizeBytes)})`,
        }))}
        value={values.fileName}
        error={errors.fileName}
        isRequired
      />
      <SelectField
        name="osfId"
        label="OS flavour"
        choices={flavours}
        value={values.osfId ?? (flavours.length === 1 ? flavours[0]?.value : undefined)}
        error={errors.osfId}
        prompt="Choose…"
        isRequired
      />
      <TextField
        name="version"
        label="Version"
        value={values.version}
        error={errors.version}
        hint="Leave it empty for one made of today's date."
      />
      <TextField
        name="sha256"
        label="SHA-256, if you know it"
        value={values.sha256}
        error={errors.sha256}
        hint="The image is refused when its file does not have this checksum."
      />
      <div class="actions">
        <SubmitButton label="Add the image" kind="main" />
        <ButtonLink href="/images" label="Cancel" kind="quiet" />
      </div>
    </PostForm>
  );
}
