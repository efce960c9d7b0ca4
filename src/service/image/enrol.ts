/**
 * Makes a file that an administrator laid down, or that a node shall fetch, into an image of an OSF. The node
 * verifies it afterwards; until then no desktop uses it. Its version is a tag of its own that can't be moved.
 */

import { eq, sql } from "drizzle-orm";
import { z } from "zod";
import { insertRow } from "../../db/insert.ts";
import { dis, diTags } from "../../db/schema/index.ts";
import { visibleTenant } from "../../domain/access/decide-access.ts";
import { asId, type DiId, type OsfId } from "../../domain/ids.ts";
import { isIncomingOf } from "../../domain/image/incoming-name.ts";
import { fileNameOf, parseSourceUrl } from "../../domain/image/source-url.ts";
import { chooseVersion } from "../../domain/image/version.ts";
import { AppError, invariant } from "../../lib/errors.ts";
import { type Context, change } from "../context.ts";
import { idField, parseInput, tagField } from "../input.ts";
import { findOsfFor } from "../osf/find.ts";
import { auditImage } from "./audit-image.ts";

export const enrolImageInput = z
  .object({
    osfId: idField<OsfId>(),
    /** Where a node fetches it from, instead of a file that is there. */
    sourceUrl: z
      .string({ error: "must be text" })
      .trim()
      .transform((text, issues) => {
        const parsed = parseSourceUrl(text);
        if (parsed.fault === undefined) return parsed.url;
        issues.addIssue({ code: "custom", message: parsed.fault });
        return z.NEVER;
      })
      .optional(),
    /** Below the incoming folder; a plain name, never a path. */
    fileName: z
      .string({ error: "must be text" })
      .trim()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
        "must be a file name of 1 to 128 of A-Z a-z 0-9 . _ - that begins with a letter or digit",
      )
      .optional(),
    version: tagField.optional(),
    sha256: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits")
      .optional(),
  })
  .refine(({ fileName, sourceUrl }) => (fileName === undefined) !== (sourceUrl === undefined), {
    path: ["fileName"],
    message: "must be given, or an address to fetch from; not both",
  });

export async function enrolImage(
  context: Context,
  input: z.input<typeof enrolImageInput>,
): Promise<{ diId: DiId; version: string }> {
  const { osfId, sourceUrl, sha256, ...given } = parseInput(enrolImageInput, input);
  const fileName = given.fileName ?? (sourceUrl === undefined ? "image" : fileNameOf(sourceUrl));
  const taken = `the OSF has an image or a tag ${given.version} already`;
  const conflicts = {
    dis_osf_id_version_key: { message: taken, field: "version" },
    di_tags_pkey: { message: taken, field: "version" },
  };
  return await change(context, { doing: `enrol image ${fileName}`, conflicts }, async (inside) => {
    const osf = await findOsfFor(inside, "image.enrol", osfId);
    if (given.fileName !== undefined) requireOwnFile(inside, given.fileName);
    const version = given.version ?? (await nextVersion(inside, osfId));
    const diId = asId<DiId>(
      await insertRow(inside.db, dis, {
        osfId,
        version,
        fileName,
        // What its desktops are run by decides what it must be; the node looks whether it is.
        kind: osf.hypervisor === "kvm" ? "disk" : "archive",
        ...(sourceUrl === undefined ? {} : { sourceUrl: sourceUrl.href }),
        ...(sha256 === undefined ? {} : { statedSha256: sha256 }),
      }),
    );
    await inside.db.insert(diTags).values({ osfId, tag: version, diId, isFixed: true });
    const image = { id: diId, tenantId: osf.tenantId, osfName: osf.name, version };
    await auditImage(inside, "image.enrol", {
      image,
      detail: { fileName, sourceUrl: sourceUrl?.href ?? null, sha256: sha256 ?? null },
    });
    return { diId, version };
  });
}

/** Others' files lie there too, and an image is as secret as its maker wants it. */
function requireOwnFile({ actor }: Context, fileName: string): void {
  if (actor.kind !== "administrator" || isIncomingOf(fileName, visibleTenant(actor))) return;
  throw new AppError(
    "not-found",
    `there is no file ${fileName} of your tenant's among the incoming images; upload it first`,
    { field: "fileName" },
  );
}

async function nextVersion(inside: Context, osfId: OsfId): Promise<string> {
  const tags = await inside.db.select({ tag: diTags.tag }).from(diTags).where(eq(diTags.osfId, osfId));
  const versions = await inside.db.select({ tag: dis.version }).from(dis).where(eq(dis.osfId, osfId));
  const [clock] = await inside.db.execute<{ ms: number }>(
    sql`select (extract(epoch from qvd_now()) * 1000)::float8 ms`,
  );
  invariant(clock !== undefined, "the clock answers");
  return chooseVersion(new Date(clock.ms), new Set([...tags, ...versions].map((row) => row.tag)));
}
