/** Unlock codes as auth asks for them, out of the database's rows and the service's verbs. */

import type { UnlockStore } from "../../auth/unlock/unlock.ts";
import type { Db } from "../../db/client.ts";
import { readTokenOwner } from "../../db/queries/user-tokens.ts";
import type { Context } from "../../service/context.ts";
import { createUnlockCode } from "../../service/unlock-code/create.ts";
import { useUnlockCode } from "../../service/unlock-code/use.ts";

export function createUnlockStore(db: Db): UnlockStore {
  const context: Context = { db, actor: { kind: "system", what: "auth" } };
  return {
    async findName(userId) {
      const owner = await readTokenOwner(db, userId);
      return owner === undefined ? undefined : { login: owner.login, tenant: owner.tenant };
    },
    createCode: (userId, codeHash) => createUnlockCode(context, { userId, codeHash }),
    useCode: (userId, codeHash) => useUnlockCode(context, { userId, codeHash }),
  };
}
