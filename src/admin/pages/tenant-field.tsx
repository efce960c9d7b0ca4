import type { TenantRow } from "../../db/queries/tenants.ts";
import { SelectField } from "../../ui/field.tsx";

/** Whose a new thing is. Where there is one tenant there is nothing to ask. */
export function TenantField(props: {
  readonly tenants: readonly TenantRow[];
  readonly value: string | undefined;
  readonly error: string | undefined;
}) {
  const [only] = props.tenants;
  if (props.tenants.length === 1 && only)
    return <input type="hidden" name="tenantId" value={String(only.id)} />;
  return (
    <SelectField
      name="tenantId"
      label="Tenant"
      choices={props.tenants.map((tenant) => ({ value: String(tenant.id), text: tenant.name }))}
      value={props.value}
      error={props.error}
      prompt="Choose…"
      isRequired
    />
  );
}
