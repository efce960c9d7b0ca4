/** Form fields: label, control, hint and error in one place, tied together for those who can't see them. */

import type { Child } from "hono/jsx";
import { Icon } from "./icons.tsx";

type FieldBase = {
  readonly name: string;
  /** Keeps ids apart where two forms of a page have a field of one name. */
  readonly idPrefix?: string | undefined;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
};

function idOf({ idPrefix = "", name }: Pick<FieldBase, "idPrefix" | "name">): string {
  return `${idPrefix}${name}`;
}

function describedBy(props: FieldBase): string | undefined {
  const id = idOf(props);
  const ids = [props.hint ? `${id}-hint` : "", props.error ? `${id}-error` : ""];
  return ids.filter(Boolean).join(" ") || undefined;
}

function Field(props: FieldBase & { readonly children: Child }) {
  return (
    <div class="field">
      <label class="field-label" for={idOf(props)}>
        {props.label}
      </label>
      {props.children}
      {props.hint ? (
        <p class="field-hint" id={`${idOf(props)}-hint`}>
          {props.hint}
        </p>
      ) : null}
      <FieldError id={idOf(props)} error={props.error} />
    </div>
  );
}

function FieldError(props: { readonly id: string; readonly error: string | undefined }) {
  if (!props.error) return null;
  return (
    <p class="field-error" id={`${props.id}-error`}>
      <Icon name="alert" size={15} />
      {props.error}
    </p>
  );
}

export type TextFieldProps = FieldBase & {
  readonly value?: string | undefined;
  readonly type?: "text" | "password" | "number" | "search";
  readonly autocomplete?: string;
  readonly isRequired?: boolean;
  readonly isFirst?: boolean;
  readonly placeholder?: string;
  readonly pattern?: string;
  readonly min?: string;
  readonly max?: string;
  readonly step?: string;
};

export function TextField(props: TextFieldProps) {
  return (
    <Field {...props}>
      <input
        class="input"
        id={idOf(props)}
        name={props.name}
        type={props.type ?? "text"}
        value={props.value}
        autocomplete={props.autocomplete ?? "off"}
        required={props.isRequired}
        autofocus={props.isFirst}
        placeholder={props.placeholder}
        pattern={props.pattern}
        min={props.min}
        max={props.max}
        step={props.step}
        spellcheck={false}
        autocapitalize="none"
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
    </Field>
  );
}

/** Several lines, such as a certificate. */
export function AreaField(
  props: FieldBase & { readonly value?: string | undefined; readonly rows?: number },
) {
  return (
    <Field {...props}>
      <textarea
        class="input input-area"
        id={idOf(props)}
        name={props.name}
        rows={props.rows ?? 6}
        spellcheck={false}
        autocapitalize="none"
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {/* Browsers leave the first line break out. */}
        {`\n${props.value ?? ""}`}
      </textarea>
    </Field>
  );
}

export type Choice = { readonly value: string; readonly text: string };

export function SelectField(
  props: FieldBase & {
    readonly choices: readonly Choice[];
    readonly value?: string | undefined;
    readonly isRequired?: boolean;
    /** Text of the first, empty choice. */
    readonly prompt?: string;
  },
) {
  return (
    <Field {...props}>
      <select
        class="input"
        id={idOf(props)}
        name={props.name}
        required={props.isRequired}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      >
        {props.prompt === undefined ? null : <option value="">{props.prompt}</option>}
        {props.choices.map((choice) => (
          <option value={choice.value} selected={choice.value === props.value}>
            {choice.text}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** A text field that suggests what is there, for lists too long for a drop-down. */
export function SuggestField(props: TextFieldProps & { readonly choices: readonly string[] }) {
  const listId = `${idOf(props)}-choices`;
  return (
    <Field {...props}>
      <input
        class="input"
        id={idOf(props)}
        name={props.name}
        value={props.value}
        list={listId}
        autocomplete="off"
        required={props.isRequired}
        autofocus={props.isFirst}
        spellcheck={false}
        autocapitalize="none"
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
      <datalist id={listId}>
        {props.choices.map((choice) => (
          <option value={choice} />
        ))}
      </datalist>
    </Field>
  );
}

export function TickField(props: FieldBase & { readonly isTicked?: boolean; readonly value?: string }) {
  return (
    <div class="field">
      <label class="tick">
        <input
          type="checkbox"
          name={props.name}
          value={props.value ?? "yes"}
          checked={props.isTicked}
          aria-describedby={describedBy(props)}
        />
        <span>{props.label}</span>
      </label>
      {props.hint ? (
        <p class="field-hint" id={`${idOf(props)}-hint`}>
          {props.hint}
        </p>
      ) : null}
      <FieldError id={idOf(props)} error={props.error} />
    </div>
  );
}

export function FileField(props: FieldBase & { readonly accept?: string; readonly isRequired?: boolean }) {
  return (
    <Field {...props}>
      <input
        class="input"
        type="file"
        id={idOf(props)}
        name={props.name}
        accept={props.accept}
        required={props.isRequired}
        aria-invalid={props.error ? "true" : undefined}
        aria-describedby={describedBy(props)}
      />
    </Field>
  );
}
