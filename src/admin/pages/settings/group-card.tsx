/** The settings of one group: name, value, whose value it is, and the way to another one. */

import { formatSettingValue } from "../../../domain/setting/parse-value.ts";
import { specOf } from "../../../domain/setting/registry.ts";
import type { ResolvedSetting } from "../../../domain/setting/resolve.ts";
import { SETTING_GROUPS, type SettingGroup } from "../../../domain/setting/spec.ts";
import type { SettingScope } from "../../setting-scope.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { Card } from "../../ui/card.tsx";
import { PostButton } from "../../ui/form.tsx";
import { Pill } from "../../ui/pill.tsx";
import { ActionsCell, Cell, Table, TitleCell } from "../../ui/table.tsx";
import { partOf, scopeQuery, settingsPath } from "./parts.ts";

export function GroupCard(props: {
  readonly group: SettingGroup;
  readonly scope: SettingScope;
  readonly settings: readonly ResolvedSetting[];
  readonly csrf: string;
}) {
  const { group, scope, csrf } = props;
  const settings = props.settings.filter(({ name }) => specOf(name).group === group);
  const title = SETTING_GROUPS[group];
  const canChange =
    scope.tenantName === undefined || settings.some(({ name }) => specOf(name).scope === "tenant");
  if (settings.length === 0) return null;
  return (
    <Card
      title={title}
      id={`group-${group}`}
      isFlush
      aside={
        <span class="row-actions">
          {group === "directory" ? (
            <ButtonLink
              href={`/settings/directory/test${scopeQuery(scope)}`}
              label="Test this directory"
              icon="play"
              isSmall
            />
          ) : null}
          {canChange ? (
            <ButtonLink
              href={`/settings/${group}/change${scopeQuery(scope)}`}
              label="Change"
              about={title}
              icon="edit"
              isSmall
            />
          ) : null}
        </span>
      }
    >
      <Table
        caption={title}
        columns={[
          { title: "Setting" },
          { title: "Value" },
          { title: "From" },
          { title: "Actions", isHidden: true, isTight: true },
        ]}
      >
        {settings.map((setting) => (
          <Row setting={setting} scope={scope} csrf={csrf} />
        ))}
      </Table>
    </Card>
  );
}

function Row(props: {
  readonly setting: ResolvedSetting;
  readonly scope: SettingScope;
  readonly csrf: string;
}) {
  const { setting, scope, csrf } = props;
  const { name, source } = setting;
  const spec = specOf(name);
  const text = showValue(setting);
  const isOwn = source === (scope.tenantName === undefined ? "site" : "tenant");
  return (
    <tr>
      <TitleCell text={spec.label} sub={name} />
      <Cell label="Value" isEmpty={text === ""}>
        {text}
      </Cell>
      <Cell label="From">
        <Pill tone={isOwn ? "good" : "idle"} text={source} />
      </Cell>
      <ActionsCell>
        {isOwn ? (
          <PostButton
            action="/settings/unset"
            csrf={csrf}
            back={settingsPath(partOf(spec.group), scope)}
            fields={{ name, tenant: scope.tenantName ?? "" }}
            label={scope.tenantName === undefined ? "Use the default" : "Use the site's"}
            about={spec.label}
            icon="back"
            isSmall
            isIconOnly
          />
        ) : null}
      </ActionsCell>
    </tr>
  );
}

/** On one line; what is long tells how long it is. */
function showValue({ name, value }: ResolvedSetting): string {
  const spec = specOf(name);
  if (spec.kind === "number" && spec.unit !== undefined) return `${formatSettingValue(value)} ${spec.unit}`;
  if (spec.kind === "secret") return value === undefined ? "" : "Set, and shown to nobody";
  const [first = "", ...more] = formatSettingValue(value).trimEnd().split("\n");
  return more.length === 0
    ? first
    : `${first} … and ${more.length} more ${more.length === 1 ? "line" : "lines"}`;
}
