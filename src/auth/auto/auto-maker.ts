/** QVD 4's plugin `auto`: who has proved themselves gets the account and desktop that they lack. */

import { asId, type OsfId, type TenantId } from "../../domain/ids.ts";
import type { AfterProof } from "../authenticator.ts";

/** What is wanted for one person; `src/service/user/provision.ts` makes it. */
export type Provision = (wanted: {
  readonly tenantId: TenantId;
  readonly login: string;
  readonly fullName: string;
  readonly by: string;
  readonly origin: string;
  readonly osfId?: OsfId;
  readonly diTag: string;
  readonly mostVms: number;
}) => Promise<void>;

export function createAutoMaker(provision: Provision): AfterProof {
  return {
    name: "auto",
    async apply({ tenantId, login, fullName, by, origin, settings }) {
      const osf = settings["auth.auto.osf_id"];
      await provision({
        ...{ tenantId, login, fullName, by, origin },
        diTag: settings["auth.auto.di_tag"],
        mostVms: settings["auth.auto.max_vms"],
        ...(osf === 0 ? {} : { osfId: asId<OsfId>(osf) }),
      });
    },
  };
}
