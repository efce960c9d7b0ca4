import { basename } from "node:path";
import { z } from "zod";
import { ImageShape, OsfShape } from "../../admin/api/shapes.ts";
import { AppError, isAppError } from "../../lib/errors.ts";
import { waitFor } from "../../lib/wait.ts";
import { flag, given, positional, requireOption, textOption } from "../admin/arguments.ts";
import { findOsf } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { type Api, openApi } from "../api-client.ts";
import type { Command, CommandIo } from "../command.ts";

const VERIFY_TIMEOUT_MS = 15 * 60_000;

const Uploaded = z.object({ fileName: z.string() });

export const imageAdd: Command = {
  name: "image add",
  summary: "Send an image file to the server and enrol it as a new version of an OS flavour.",
  positionals: ["FILE"],
  options: {
    osf: { type: "text", value: "OSF", doc: "OS flavour that it is a version of." },
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
    "no-wait": { type: "flag", doc: "Don't wait until a node has verified it; not with --tag." },
    sha256: { type: "text", value: "HEX", doc: "Checksum that the file must have." },
    incoming: { type: "flag", doc: "FILE is a name in the server's incoming folder; nothing is sent." },
    ...JSON_OPTION,
  },
  details:
    "FILE is a root file system as tar, tar.gz, tar.xz or tar.zst. The command ends when a node has verified it.",
  examples: [
    "qvd image add office.tar.zst --osf office --create-osf --tag default",
    "qvd image add office-8.tar.zst --osf office --version 8 --incoming",
  ],
  async run(io, args) {
    const file = positional(args, 0, "FILE");
    const flavour = requireOption(args, "osf");
    const tag = textOption(args, "tag");
    if (flag(args, "no-wait") && tag !== undefined)
      throw new AppError(
        "bad-input",
        "--tag waits until the image is verified, so it can't go with --no-wait",
      );
    const api = await openApi(io.env);
    const osf = await findOrCreateOsf(api, flavour, flag(args, "create-osf"));
    const fileName = flag(args, "incoming") ? file : await upload(io, api, file);
    const fields = given({ version: textOption(args, "version"), sha256: textOption(args, "sha256") });
    const added = ImageShape.parse(await api.ask("POST", "/images", { osfId: osf.id, fileName, ...fields }));
    io.err(`enrolled ${added.osf}:${added.version} (id ${added.id})\n`);
    const image = flag(args, "no-wait") ? added : await tagWhenReady(io, api, { image: added, tag });
    if (args.options.json) printJson(io, image);
    return 0;
  },
};

async function findOrCreateOsf(api: Api, name: string, mayCreate: boolean): Promise<OsfShape> {
  try {
    return await findOsf(api, name);
  } catch (error) {
    if (!isAppError(error) || error.code !== "not-found" || !mayCreate) throw error;
    return OsfShape.parse(await api.ask("POST", "/osfs", { name }));
  }
}

/** Waits for the node's verdict. Only a verified image may carry a tag, since desktops of the tag start from it next. */
async function tagWhenReady(
  io: CommandIo,
  api: Api,
  wanted: { readonly image: ImageShape; readonly tag: string | undefined },
): Promise<ImageShape> {
  const { image, tag } = wanted;
  io.err("waiting until a node has verified it …\n");
  const settled = await waitFor(
    async () => {
      const now = ImageShape.parse(await api.ask("GET", `/images/${image.id}`));
      return now.state === "ready" || now.state === "failed" ? now : undefined;
    },
    { timeoutMs: VERIFY_TIMEOUT_MS, everyMs: 500, signal: io.signal },
  );
  if (settled === undefined) {
    throw new AppError(
      "timeout",
      `${image.osf}:${image.version} is not verified yet: is a node running? Tag it later`,
    );
  }
  if (settled.state === "failed") {
    throw new AppError(
      "image-broken",
      `${image.osf}:${image.version} is not usable: ${settled.fault ?? "no reason known"}`,
    );
  }
  if (tag === undefined) {
    io.err("it is ready; `qvd image tag` lets desktops start from it\n");
    return settled;
  }
  await api.ask("PUT", `/images/${image.id}/tags/${encodeURIComponent(tag)}`);
  io.err(`it is ready and has the tag ${tag}\n`);
  return ImageShape.parse(await api.ask("GET", `/images/${image.id}`));
}

async function upload(io: CommandIo, api: Api, path: string): Promise<string> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new AppError("bad-input", `there is no file ${path}`, { field: "FILE" });
  io.err(`sending ${path} (${Math.ceil(file.size / 1e6)} MB) …\n`);
  const name = encodeURIComponent(basename(path));
  return Uploaded.parse(await api.send(`/images/upload?name=${name}`, file, io.signal)).fileName;
}
