import { formatSettingValue } from "../../../domain/setting/parse-value.ts";
import { specOf } from "../../../domain/setting/registry.ts";
import type { ResolvedSetting } from "../../../domain/setting/resolve.ts";
import { AreaField, SelectField, TextField } from "../../../ui/field.tsx";

/** The control that fits a setting's kind. */
export function SettingField(props: {
  readonly setting: ResolvedSetting;
  /** When the form is shown again. */
  readonly typed: string | undefined;
  readonly error: string | undefined;
}) {
  const { setting, typed, error } = props;
  const { name, value } = setting;
  const spec = specOf(name);
  const unit = spec.kind === "number" && spec.unit !== undefined ? `, in ${spec.unit}` : "";
  const common = { name, label: `${spec.label}${unit}`, hint: `${spec.doc} (${name})`, error };
  const shown = typed ?? formatSettingValue(value);
  switch (spec.kind) {
    case "switch":
      return <SelectField {...common} value={shown} choices={["on", "off"].map(toChoice)} />;
    case "choice":
      return <SelectField {...common} value={shown} choices={spec.choices.map(toChoice)} />;
    case "number":
      return (
        <TextField {...common} type="number" value={shown} min={String(spec.least)} max={String(spec.most)} />
      );
    case "secret": {
      const state = value === undefined ? "Not set." : "Set; leave it empty to keep it.";
      return (
        <TextField {...common} hint={`${state} ${common.hint}`} type="password" autocomplete="new-password" />
      );
    }
    case "words":
      return <TextField {...common} value={shown} />;
    case "text":
      return spec.isLong ? <AreaField {...common} value={shown} /> : <TextField {...common} value={shown} />;
  }
}

function toChoice(value: string) {
  return { value, text: value };
}
