import { EventShape, pageOf } from "../../admin/api/shapes.ts";
import { nameActor } from "../../domain/access/name-actor.ts";
import { AppError } from "../../lib/errors.ts";
import { positional, textOption } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command } from "../command.ts";

export const vmExplain: Command = {
  name: "vm explain",
  summary: "Tell what happened to a desktop and why, oldest first.",
  positionals: ["VM"],
  options: {
    last: { type: "text", value: "NUMBER", doc: "How many events, 1 to 200; default 30." },
    ...JSON_OPTION,
  },
  examples: ["qvd vm explain ann-desk", "qvd vm explain ann-desk --last 100 --json"],
  async run(io, args) {
    const last = textOption(args, "last") ?? "30";
    if (!/^[1-9][0-9]{0,2}$/.test(last) || Number(last) > 200) {
      throw new AppError("bad-input", "--last must be a number from 1 to 200", { field: "last" });
    }
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    const answer = pageOf(EventShape).parse(await api.ask("GET", `/vms/${vm.id}/trail?pageSize=${last}`));
    const events = answer.items.toReversed();
    if (args.options.json) printJson(io, { vm, events });
    else {
      io.out(
        `${vm.name} is ${vm.state}; wished ${vm.wish}${vm.fault === null ? "" : `; fault: ${vm.fault}`}\n`,
      );
      for (const event of events) {
        const where = event.node === null ? "" : ` on ${event.node}`;
        const who = event.actor === null ? "" : ` (${nameActor(event.actor)})`;
        io.out(`${event.at}${where}  ${event.text}${who}\n`);
      }
    }
    return 0;
  },
};
