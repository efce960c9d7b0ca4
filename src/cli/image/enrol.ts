/** What adding an image and building one share: the flavour, the enrolment, the wait, and what follows it. */

import { ImageShape, type OsfShape } from "../../admin/api/shapes.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import { flag, given, textOption } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import type { Api } from "../api-client.ts";
import type { CommandArgs, CommandIo, OptionSpec } from "../command.ts";
import { createProposedOsf } from "../osf/create-proposed.ts";
import { awaitImage } from "./await-image.ts";

export const ENROL_OPTIONS = {
  "create-osf": { type: "flag", doc: "Create the flavour if there is none of that name." },
  version: {
    type: "text",
    value: "VERSION",
    doc: "Name of the version; default: today's date and a number.",
  },
  tag: {
    type: "text",
    value: "TAG",
    doc: "Once it is ready put this tag on it, taking it from where it is.",
  },
  publish: { type: "flag", doc: "Once it is ready publish it; with --tag under that tag as well." },
  "no-wait": { type: "flag", doc: "Don't wait until a node has verified it; not with --tag or --publish." },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** What the file is, as the API's fields say it. */
export type EnrolSource = Readonly<Record<string, string>>;

/** Throws before anything is sent or built when the options contradict each other. */
export function requireAgreement(args: CommandArgs): void {
  if (!flag(args, "no-wait")) return;
  const waiting = ["tag", "publish"].find((name) => args.options[name] !== undefined);
  if (waiting !== undefined)
    throw new AppError(
      "bad-input",
      `--${waiting} waits until the image is verified, so it can't go with --no-wait`,
    );
}

export async function findOrCreateOsf(api: Api, name: string, mayCreate: boolean): Promise<OsfShape> {
  try {
    return await findOsf(api, name);
  } catch (error) {
    if (!isAppError(error) || error.code !== "not-found" || !mayCreate) throw error;
    return await createProposedOsf(api, { name });
  }
}

export async function enrol(
  io: CommandIo,
  api: Api,
  wanted: { readonly osfId: number; readonly source: EnrolSource; readonly args: CommandArgs },
): Promise<ImageShape> {
  const { osfId, source, args } = wanted;
  const fields = { osfId, ...source, ...given({ version: textOption(args, "version") }) };
  const added = ImageShape.parse(await api.ask("POST", "/images", fields));
  io.err(`enrolled ${added.osf}:${added.version} (id ${added.id})\n`);
  if (flag(args, "no-wait")) return added;
  const ready = await awaitImage(io, api, added);
  return await rollOut(io, api, { image: ready, args });
}

async function rollOut(
  io: CommandIo,
  api: Api,
  { image, args }: { readonly image: ImageShape; readonly args: CommandArgs },
): Promise<ImageShape> {
  const tag = textOption(args, "tag");
  if (flag(args, "publish")) {
    const published = ImageShape.parse(
      await api.ask("POST", `/images/${image.id}/publish`, tag === undefined ? {} : { tags: [tag] }),
    );
    io.err(`it is published and has the tags ${published.tags.join(", ")}\n`);
    return published;
  }
  if (tag === undefined) {
    io.err("it is ready; `qvd image publish` or `qvd image tag` lets desktops start from it\n");
    return image;
  }
  await api.ask("PUT", `/images/${image.id}/tags/${encodeURIComponent(tag)}`);
  io.err(`it is ready and has the tag ${tag}\n`);
  return ImageShape.parse(await api.ask("GET", `/images/${image.id}`));
}
