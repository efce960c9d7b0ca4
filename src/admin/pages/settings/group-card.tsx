/** The settings of one group: name, value, whose value it is, and the way to another one. */

import { formatSettingValue } from "../../../domain/setting/parse-value.ts";
import { specOf } from "../../../domain/setting/registry.ts";
import type { ResolvedSetting } from "../../../domain/setting/resolve.ts";
import { SETTING_GROUPS, type SettingGroup } from "../../../domain/setting/spec.ts";
import { ButtonLink } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { PostButton } from "../../../ui/form.tsx";
import { Pill } from "../../../ui/pill.tsx";
import type { SettingScope } from "../../setting-scope.ts";
import { Fold } from "../../ui/fold.tsx";
import { ActionsCell, Cell, Table, TitleCell } from "../../ui/table.tsx";
import { partOf, scopeQuery, settingsPath } from "./parts.ts";

/** A card of up to so many rows shows all of them. */
const LEAST_TO_FOLD = 4;

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
  // Few are ever set; the chain is what one comes for.
  const isLong = settings.length > LEAST_TO_FOLD;
  const shown = settings.filter(({ source }) => !isLong || source !== "default");
  const folded = settings.filter((setting) => !shown.includes(setting));
  return (
    <Card
      title={title}
      id={`group-${group}`}
      isFlush
      aside={
        <span class="actions">
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
      {shown.length === 0 ? null : (
        <SettingTable caption={title} settings={shown} scope={scope} csrf={csrf} />
      )}
      {folded.length === 0 ? null : (
        <Fold summary={`${shown.length === 0 ? "All" : `${folded.length} more`} at their defaults`}>
          <SettingTable caption={`${title}: defaults`} settings={folded} scope={scope} csrf={csrf} />
        </Fold>
      )}
    </Card>
  );
}

function SettingTable(props: {
  readonly caption: string;
  readonly settings: readonly ResolvedSetting[];
  readonly scope: SettingScope;
  readonly csrf: string;
}) {
  const { caption, settings, scope, csrf } = props;
  return (
    <Table
      caption={caption}
      isAligned
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
