import { AppError } from "../../lib/errors.ts";
import { flag, given, requireOption, textOption } from "../admin/arguments.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { type Api, openApi } from "../api-client.ts";
import type { Command, CommandArgs, CommandIo } from "../command.ts";
import { ENROL_OPTIONS, type EnrolSource, enrol, findOrCreateOsf, requireAgreement } from "./enrol.ts";
import { requireFile, sendFile } from "./send-file.ts";

export const imageAdd: Command = {
  name: "image add",
  summary: "Enrol an image as a new version of an OS flavour: send a file, or let a node fetch it.",
  positionals: ["[FILE]"],
  options: {
    osf: { type: "text", value: "OSF", doc: "OS flavour that it is a version of." },
    file: { type: "text", value: "FILE", doc: "The same as FILE." },
    url: {
      field: "sourceUrl",
      type: "text",
      value: "URL",
      doc: "Instead of a file: where a node fetches it from, http or https.",
    },
    sha256: {
      type: "text",
      value: "HEX",
      doc: "Checksum that the file must have; of a file sent from here it is known.",
    },
    incoming: { type: "flag", doc: "FILE is a name in the server's incoming folder; nothing is sent." },
    ...ENROL_OPTIONS,
    ...JSON_OPTION,
  },
  details: [
    "For containers it is a root file system as tar, tar.gz, tar.xz, tar.zst or tar.bz2, for virtual machines a",
    "disk as qcow2 or raw. The command shows how far it is and ends when a node has verified it. A broken",
    "connection is taken up again, of sending as of fetching.",
  ].join("\n"),
  examples: [
    "qvd image add office.tar.zst --osf office --create-osf --publish",
    "qvd image add --url https://images.example.org/office-8.tar.zst --osf office --tag pilot",
    "qvd image add office-8.tar.zst --osf office --version 8 --incoming",
  ],
  async run(io, args) {
    const flavour = requireOption(args, "osf");
    requireAgreement(args);
    requireOneSource(args);
    const file = fileOf(args);
    // Before a flavour is made for it.
    if (file !== undefined && !flag(args, "incoming")) await requireFile(file);
    const api = await openApi(io.env);
    const osf = await findOrCreateOsf(api, flavour, flag(args, "create-osf"));
    const source = await obtain(io, api, args);
    const image = await enrol(io, api, { osfId: osf.id, source, args });
    if (args.options.json) printJson(io, image);
    return 0;
  },
};

function fileOf(args: CommandArgs): string | undefined {
  return args.positionals[0] ?? textOption(args, "file");
}

function requireOneSource(args: CommandArgs): void {
  const named = [args.positionals[0], textOption(args, "file"), textOption(args, "url")];
  if (named.filter((each) => each !== undefined).length !== 1)
    throw new AppError("bad-input", "name one image: a FILE or --url");
  if (flag(args, "incoming") && fileOf(args) === undefined)
    throw new AppError("bad-input", "--incoming names a FILE, so it can't go with --url");
}

async function obtain(io: CommandIo, api: Api, args: CommandArgs): Promise<EnrolSource> {
  const sha256 = textOption(args, "sha256");
  const file = fileOf(args);
  if (file === undefined) return given({ sourceUrl: textOption(args, "url"), sha256 });
  if (flag(args, "incoming")) return given({ fileName: file, sha256 });
  const sent = await sendFile(io, api, file);
  return { fileName: sent.fileName, sha256: sha256 ?? sent.sha256 };
}
