import { type LoadedConfig, loadConfig } from "../../config/load-config.ts";
import { SETTINGS, type SettingKey, type SettingSpec } from "../../config/settings.ts";
import type { Command } from "../command.ts";

export const configShow: Command = {
  name: "config show",
  summary: "Show the settings, where each comes from, and what it means.",
  options: { json: { type: "flag", doc: "Print JSON, for programs." } },
  details:
    "Settings come from the environment, then from the file that QVD_CONFIG names (default /etc/qvd/qvd.conf), then from the defaults. Secrets are not shown.",
  examples: ["qvd config show", "qvd config show --json"],
  async run(io, args) {
    const rows = describeSettings(loadConfig({ env: io.env }));
    if (args.options.json === true) io.out(`${JSON.stringify(rows, null, 2)}\n`);
    else
      for (const row of rows) {
        const unit = row.unit === null ? "" : ` ${row.unit}`;
        io.out(`${row.name} = ${row.value}${unit}  (${row.source})\n    ${row.doc}\n`);
      }
    return 0;
  },
};

export type SettingRow = {
  readonly name: string;
  readonly value: string | number | boolean;
  readonly source: string;
  readonly unit: string | null;
  readonly doc: string;
};

export function describeSettings({ config, sources }: LoadedConfig): readonly SettingRow[] {
  return Object.keys(SETTINGS)
    .filter((key): key is SettingKey => key in SETTINGS)
    .map((key) => {
      const spec: SettingSpec = SETTINGS[key];
      const isHidden = spec.isSecret === true && config[key] !== "";
      return {
        name: spec.name,
        value: isHidden ? "(hidden)" : config[key],
        source: sources[key],
        unit: spec.unit ?? null,
        doc: spec.doc,
      };
    });
}
