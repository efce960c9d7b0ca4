/** The part of a flavour's form that says what its desktops may hold, what they keep, and when they end. */

import type { OsfRow } from "../../../db/queries/osfs.ts";
import { formatSeconds } from "../../../domain/image/span.ts";
import { SelectField, TextField, TickField } from "../../../ui/field.tsx";
import type { FormState, FormValues } from "../../form.ts";
import { FormPart } from "../../ui/form-part.tsx";

export const POLICY_DEFAULTS: FormValues = {
  hypervisor: "lxc",
  hasAgent: "yes",
  offersConsole: "no",
  persistence: "home",
  idleStopSeconds: "never",
  onCrash: "restart",
  expirySoftSeconds: "never",
  expiryHardSeconds: "never",
};

/** The policy's fields of a form, as its verb takes them: a box that isn't ticked is sent by no browser. */
export function policyOf(values: FormValues): FormValues {
  const names = [...Object.keys(POLICY_DEFAULTS), "keptFolders", "homeMb", "systemMb", "program"];
  const typed = names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]] as const]));
  const tick = (name: string) => [name, values[name] === "yes" ? "yes" : "no"] as const;
  return Object.fromEntries([...typed, tick("allowsNeighbours"), tick("isApplication")]);
}

export function policyValues(osf: OsfRow): FormValues {
  return {
    hypervisor: osf.hypervisor,
    persistence: osf.persistence,
    keptFolders: osf.keptFolders.join(" "),
    homeMb: osf.homeMb === null ? "" : String(osf.homeMb),
    systemMb: osf.systemMb === null ? "" : String(osf.systemMb),
    idleStopSeconds: formatSeconds(osf.idleStopSeconds),
    onCrash: osf.onCrash,
    allowsNeighbours: osf.allowsNeighbours ? "yes" : "no",
    hasAgent: osf.hasAgent ? "yes" : "no",
    offersConsole: osf.offersConsole ? "yes" : "no",
    expirySoftSeconds: formatSeconds(osf.expirySoftSeconds),
    expiryHardSeconds: formatSeconds(osf.expiryHardSeconds),
    isApplication: osf.isApplication ? "yes" : "no",
    program: osf.program ?? "",
  };
}

export function PolicyFields(props: { readonly form: FormState }) {
  const { form } = props;
  return (
    <>
      <FormPart title="What outlives a stop">
        <KeepingFields form={form} />
      </FormPart>
      <FormPart title="While it runs">
        <RunFields form={form} />
      </FormPart>
      <FormPart title="As an application">
        <ApplicationFields form={form} />
      </FormPart>
      <FormPart title="When a newer image is published">
        <ExpiryFields form={form} />
      </FormPart>
    </>
  );
}

function KeepingFields(props: { readonly form: FormState }) {
  const { values, errors } = props.form;
  return (
    <>
      <SelectField
        name="persistence"
        label="Kept"
        value={values.persistence}
        error={errors.persistence}
        choices={[
          { value: "nothing", text: "Nothing: each start is fresh" },
          { value: "home", text: "The home" },
          { value: "folders", text: "The home and the folders named below" },
          { value: "everything", text: "Everything" },
        ]}
      />
      <TextField
        name="keptFolders"
        label="Folders kept besides the home"
        hint="Absolute paths inside the desktop, separated by spaces, such as /var/log. Containers only."
        value={values.keptFolders}
        error={errors.keptFolders}
      />
      <div class="form-pair">
        <TextField
          name="homeMb"
          label="Most that a home may hold, in MB"
          hint="Empty: no limit."
          type="number"
          min="16"
          max="16777216"
          value={values.homeMb}
          error={errors.homeMb}
        />
        <TextField
          name="systemMb"
          label="Most that the rest may hold, in MB"
          hint="Of containers. Empty: no limit."
          type="number"
          min="16"
          max="16777216"
          value={values.systemMb}
          error={errors.systemMb}
        />
      </div>
    </>
  );
}

function RunFields(props: { readonly form: FormState }) {
  const { values, errors } = props.form;
  return (
    <>
      <TextField
        name="idleStopSeconds"
        label="Stop a desktop that nobody is connected to after"
        hint="never, 0 for at once, or a time such as 90s, 15m, 2h."
        value={values.idleStopSeconds}
        error={errors.idleStopSeconds}
      />
      <SelectField
        name="onCrash"
        label="A desktop that ends by itself"
        value={values.onCrash}
        error={errors.onCrash}
        choices={[
          { value: "restart", text: "is started again" },
          { value: "leave", text: "is left stopped" },
        ]}
      />
      <TickField
        name="allowsNeighbours"
        label="Desktops of this flavour may reach each other"
        isTicked={values.allowsNeighbours === "yes"}
        error={errors.allowsNeighbours}
      />
    </>
  );
}

function ApplicationFields(props: { readonly form: FormState }) {
  const { values, errors } = props.form;
  return (
    <>
      <TickField
        name="isApplication"
        label="Clients are offered its desktops as applications"
        isTicked={values.isApplication === "yes"}
        error={errors.isApplication}
      />
      <TextField
        name="program"
        label="Program that a session starts"
        hint="A command inside the desktop, such as libreoffice --calc. Empty: what the image starts by itself."
        value={values.program}
        error={errors.program}
      />
    </>
  );
}

function ExpiryFields(props: { readonly form: FormState }) {
  const { values, errors } = props.form;
  return (
    <div class="form-pair">
      <TextField
        name="expirySoftSeconds"
        label="Ask its user to restart after"
        hint="never, 0 for at once, or a time such as 1h."
        value={values.expirySoftSeconds}
        error={errors.expirySoftSeconds}
      />
      <TextField
        name="expiryHardSeconds"
        label="Stop the desktop after"
        hint="never, or a time such as 2d."
        value={values.expiryHardSeconds}
        error={errors.expiryHardSeconds}
      />
    </div>
  );
}

export function HypervisorField(props: { readonly form: FormState }) {
  const { values, errors } = props.form;
  return (
    <div class="form-pair">
      <SelectField
        name="hypervisor"
        label="Runs as"
        hint="Can be changed while the flavour has no image."
        value={values.hypervisor}
        error={errors.hypervisor}
        choices={[
          { value: "lxc", text: "Container (LXC)" },
          { value: "kvm", text: "Virtual machine (KVM)" },
        ]}
      />
      <SelectField
        name="hasAgent"
        label="Agent in its images"
        hint="Without it a machine is seen on its console only."
        value={values.hasAgent}
        error={errors.hasAgent}
        choices={[
          { value: "yes", text: "QVD's agent" },
          { value: "no", text: "None (machines only)" },
        ]}
      />
      <SelectField
        name="offersConsole"
        label="Console in the browser"
        hint="The screen of the machine itself, for its person. Without an agent it is their only way in."
        value={values.offersConsole}
        error={errors.offersConsole}
        choices={[
          { value: "no", text: "Administrators only" },
          { value: "yes", text: "Its person too (machines only)" },
        ]}
      />
    </div>
  );
}
