/** Tokens as auth asks for them, out of the database's rows and the service's verbs. */

import { randomBytes } from "node:crypto";
import { formatBase62 } from "../../auth/tokens/base62.ts";
import type { TokenStore } from "../../auth/tokens/token-store.ts";
import type { Db } from "../../db/client.ts";
import { listSettings } from "../../db/queries/settings.ts";
import { readTokenOwner } from "../../db/queries/user-tokens.ts";
import { settingValues } from "../../domain/setting/resolve.ts";
import type { Context } from "../../service/context.ts";
import { createToken } from "../../service/token/create.ts";
import { giveBackToken } from "../../service/token/give-back.ts";
import { useToken } from "../../service/token/use.ts";

export function createTokenStore(db: Db): TokenStore {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  const randomToken = () => formatBase62(randomBytes(32));
  return {
    async use(token) {
      const used = await useToken(context, token);
      if (used === undefined) return undefined;
      const owner = await readTokenOwner(db, used.userId);
      if (owner === undefined) return undefined;
      const { vmId, parameters } = used;
      return { name: { login: owner.login, tenant: owner.tenant }, vmId, parameters };
    },
    async create({ vmId, origin, ...input }) {
      return await createToken(
        { ...context, origin },
        { randomToken },
        {
          ...input,
          ...(vmId === undefined ? {} : { vmId }),
        },
      );
    },
    giveBack: ({ token, origin }) => giveBackToken({ ...context, origin }, token),
    async readMostSeconds(userId) {
      const owner = await readTokenOwner(db, userId);
      const rows = await listSettings(db, owner?.tenantId);
      return settingValues(rows, owner?.tenantId)["auth.token.lifetime"];
    },
  };
}
