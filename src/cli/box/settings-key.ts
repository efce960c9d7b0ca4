/**
 * The key that secrets among the site settings are sealed for: the secret half is auth's alone, the public half lies
 * where admin can read it. Made at a site's first start; a box that joins gets it in its bundle. It is not in the
 * database, so a dump of that opens nothing.
 */

import { existsSync } from "node:fs";
import { chmod, chown, readFile, rename, writeFile } from "node:fs/promises";
import nacl from "tweetnacl";
import type { Layout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";

type Keys = Pick<Layout, "settingsKey" | "settingsPublicKey">;

/** May be called at each start; what is there is kept. */
export async function ensureSettingsKey(layout: Keys, authUid: number): Promise<void> {
  if (!existsSync(layout.settingsKey))
    await replace(layout.settingsKey, encode(nacl.box.keyPair().secretKey), { mode: 0o400, uid: authUid });
  await chown(layout.settingsKey, authUid, 0);
  await chmod(layout.settingsKey, 0o400);
  const { publicKey } = nacl.box.keyPair.fromSecretKey(await readSettingsKey(layout.settingsKey));
  await replace(layout.settingsPublicKey, encode(publicKey), { mode: 0o644, uid: 0 });
}

/** 32 bytes, of either half; throws `not-found` with what to do. */
export async function readSettingsKey(path: string): Promise<Uint8Array> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError(
      "not-found",
      `${path} can't be read: \`qvd box prepare\`, as root, makes what is missing`,
      {
        cause,
      },
    );
  });
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== nacl.box.publicKeyLength)
    throw new AppError("bad-input", `${path} does not hold a key: 32 bytes in base64 are expected`);
  return new Uint8Array(key);
}

function encode(key: Uint8Array): string {
  return `${Buffer.from(key).toString("base64")}\n`;
}

async function replace(
  path: string,
  text: string,
  { mode, uid }: { readonly mode: number; readonly uid: number },
): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await chown(`${path}.new`, uid, 0);
  await chmod(`${path}.new`, mode);
  await rename(`${path}.new`, path);
}
