import { OsfShape } from "../../admin/api/shapes.ts";
import { usualLimits } from "../../domain/image/usual-limits.ts";
import type { Api } from "../api-client.ts";

/** An OSF with the limits that are proposed for its disks, where `fields`, as the API has them, say no others. */
export async function createProposedOsf(
  api: Api,
  fields: Readonly<Record<string, string>>,
): Promise<OsfShape> {
  return OsfShape.parse(
    await api.ask("POST", "/osfs", { ...usualLimits(fields.hypervisor ?? "lxc"), ...fields }),
  );
}
