import { existsSync } from "node:fs";
import { VisitShape } from "../../admin/api/shapes.ts";
import { openDatabase } from "../../db/client.ts";
import { type DesktopRow, listDesktops } from "../../db/queries/desktops.ts";
import { type Layout, vmLayout } from "../../domain/node/layout.ts";
import { AppError } from "../../lib/errors.ts";
import { flag, positional } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";
import { type Mode, openMode, requireRoot } from "../mode.ts";

/** A part of many names may be asked for; the one meant is among the first. */
const MOST_FOUND = 100;

export const vmConsole: Command = {
  name: "vm console",
  summary: "Tell where the screen of a virtual machine is, as VNC.",
  positionals: ["VM"],
  options: {
    ...JSON_OPTION,
    link: { type: "flag", doc: "A link that opens it in a browser instead: good once, within a minute." },
  },
  details: [
    "With --link from anywhere, with an administrator's right to consoles.",
    "Without it as root of the box that the machine runs on: its screen is a unix socket there, which nobody else may open.",
    "From firmware to sign-in, with or without an agent in it. Containers have no such screen.",
  ].join("\n"),
  examples: ["qvd vm console win-1 --link", "qvd vm console win-1", "vncviewer $(qvd vm console win-1)"],
  async run(io, args) {
    if (flag(args, "link")) {
      const api = await openApi(io.env);
      const vm = await findVm(api, positional(args, 0, "VM"));
      const { address } = VisitShape.parse(await api.ask("POST", `/vms/${vm.id}/console`));
      if (args.options.json) printJson(io, { id: vm.id, name: vm.name, address });
      else io.out(`${address}\n`);
      return 0;
    }
    requireRoot("qvd vm console");
    const mode = openMode(io);
    const vm = await findDesktop(mode, positional(args, 0, "VM"));
    const socket = findScreen(mode.layout, vm);
    if (args.options.json) printJson(io, { id: vm.id, name: vm.name, socket });
    else {
      io.out(`${socket}\n`);
      io.err(
        [
          "Show it with a viewer that knows unix sockets (tigervnc-viewer: vncviewer SOCKET), or from elsewhere by",
          `ssh -L 5900:${socket} root@BOX, and a viewer at localhost:5900.\n`,
        ].join("\n"),
      );
    }
    return 0;
  },
};

async function findDesktop(mode: Mode, word: string): Promise<DesktopRow> {
  const database = openDatabase(await mode.database("qvd_node"), {
    max: 1,
    applicationName: "qvd vm console",
  });
  try {
    const { items } = await listDesktops(database.orm, { search: word }, { page: 1, pageSize: MOST_FOUND });
    const found = items.filter(({ id, name }) => name === word || String(id) === word);
    const [vm] = found;
    if (vm === undefined) throw new AppError("not-found", `there is no desktop ${word}`);
    if (found.length > 1)
      throw new AppError(
        "bad-input",
        `several desktops are called ${word}: name one by its id (${found.map(({ id }) => id).join(", ")})`,
      );
    return vm;
  } finally {
    await database.close();
  }
}

/** Throws where there is no screen to look at. */
export function findScreen(layout: Layout, vm: Pick<DesktopRow, "id" | "name">): string {
  const socket = vmLayout(layout, vm.id).screenSocket;
  if (existsSync(socket)) return socket;
  throw new AppError(
    "not-found",
    `${vm.name} has no screen on this box: it is stopped, runs on another box, or is a container (qvd vm show tells)`,
  );
}
