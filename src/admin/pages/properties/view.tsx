/** The properties of one thing: what is set, and a line to set one more. The same page for all kinds. */

import type {
  Properties,
  PropertyKind,
  PropertySource,
  SourcedProperty,
} from "../../../domain/property/merge.ts";
import { SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { TextField } from "../../../ui/field.tsx";
import { PostButton, PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import type { FormState } from "../../form.ts";
import type { PropertyOwner } from "../../property-kind.ts";
import { PageHead } from "../../ui/page-head.tsx";
import { ActionsCell, Cell, Table, TitleCell } from "../../ui/table.tsx";

export type PropertiesView = {
  readonly owner: PropertyOwner;
  readonly own: Properties;
  /** Of a desktop: what its hooks get. */
  readonly merged: readonly SourcedProperty[] | undefined;
  readonly csrf: string;
  readonly form: FormState;
};

const LEADS = {
  user: "Free names and values for hooks and scripts. They go to each desktop of the user; a desktop's own win over them.",
  vm: "Free names and values for hooks and scripts. A desktop's own win over its user's, those over its image's, and those over its flavour's.",
  osf: "Free names and values for hooks and scripts. They go to each desktop of this flavour, unless image, user or desktop say otherwise.",
  image:
    "Free names and values for hooks and scripts. They go to each desktop that this image runs, unless user or desktop say otherwise.",
  node: "Free names and values for the hooks of this box.",
} as const satisfies Record<PropertyKind, string>;

export function PropertiesPage(props: { readonly view: PropertiesView }) {
  const { view } = props;
  const { owner } = view;
  return (
    <>
      <PageHead
        title={`Properties of ${owner.name}`}
        lead={LEADS[owner.kind]}
        back={{
          href: owner.href,
          text: owner.kind === "osf" || owner.kind === "image" ? "Images" : owner.name,
        }}
      />
      <div class="grid-split">
        <div class="stack">
          <Card title={view.merged === undefined ? "Set" : "Its own"} isFlush>
            <Own view={view} />
          </Card>
          {view.merged === undefined ? null : (
            <Card title="What its hooks get" isFlush>
              <Merged merged={view.merged} />
            </Card>
          )}
        </div>
        <Card title="Set a property">
          <SetForm view={view} />
        </Card>
      </div>
    </>
  );
}

function Own(props: { readonly view: PropertiesView }) {
  const { owner, own, csrf } = props.view;
  const entries = Object.entries(own);
  if (entries.length === 0)
    return (
      <Empty
        icon="tag"
        title="No properties"
        text="Give it a name and a value, such as printer and lp-2nd-floor."
      />
    );
  return (
    <Table
      caption={`Properties of ${owner.name}`}
      columns={[{ title: "Name" }, { title: "Value" }, { title: "Actions", isHidden: true, isTight: true }]}
    >
      {entries.map(([key, value]) => (
        <tr>
          <TitleCell text={key} />
          <Cell label="Value" isEmpty={value === ""}>
            {value}
          </Cell>
          <ActionsCell>
            <PostButton
              action={`/properties/${owner.kind}/${owner.id}/unset`}
              csrf={csrf}
              fields={{ key }}
              label="Remove"
              about={key}
              icon="trash"
              isSmall
            />
          </ActionsCell>
        </tr>
      ))}
    </Table>
  );
}

const SOURCES = {
  osf: "flavour",
  image: "image",
  user: "user",
  vm: "desktop",
} as const satisfies Record<PropertySource, string>;

function Merged(props: { readonly merged: readonly SourcedProperty[] }) {
  if (props.merged.length === 0)
    return (
      <Empty
        icon="tag"
        title="Nothing"
        text="Neither the desktop nor its user, image or flavour has properties."
      />
    );
  return (
    <Table caption="Merged properties" columns={[{ title: "Name" }, { title: "Value" }]}>
      {props.merged.map(({ key, value, from }) => (
        <tr>
          <TitleCell text={key} sub={`of the ${SOURCES[from]}`} />
          <Cell label="Value" isEmpty={value === ""}>
            {value}
          </Cell>
        </tr>
      ))}
    </Table>
  );
}

function SetForm(props: { readonly view: PropertiesView }) {
  const { owner, csrf, form } = props.view;
  const { values, errors } = form;
  return (
    <PostForm action={`/properties/${owner.kind}/${owner.id}`} csrf={csrf}>
      {errors[""] ? <Notice tone="bad">{errors[""]}</Notice> : null}
      <TextField
        name="key"
        label="Name"
        value={values.key}
        error={errors.key}
        hint="Letters, digits, dot, dash and underscore. One that is there gets the new value."
        isRequired
      />
      <TextField name="value" label="Value" value={values.value} error={errors.value} />
      <div class="actions">
        <SubmitButton label="Set" kind="main" />
      </div>
    </PostForm>
  );
}
