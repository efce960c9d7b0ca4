import { EventShape, ExplanationShape, pageOf } from "../../admin/api/shapes.ts";
import { nameActor } from "../../domain/access/name-actor.ts";
import { formatSpan } from "../../domain/vm/format-span.ts";
import { AppError } from "../../lib/errors.ts";
import { positional, textOption } from "../admin/arguments.ts";
import { findVm } from "../admin/find.ts";
import { JSON_OPTION, printJson } from "../admin/print.ts";
import { openApi } from "../api-client.ts";
import type { Command, CommandIo } from "../command.ts";

export const vmExplain: Command = {
  name: "vm explain",
  summary: "Tell why a desktop is as it is, what happens next, and what can be done.",
  positionals: ["VM"],
  options: {
    last: { type: "text", value: "NUMBER", doc: "How many events of its trail, 1 to 200; default 30." },
    ...JSON_OPTION,
  },
  details:
    "What is wished and by whom, what is true, why they differ, what was tried, what happens next and when, what a person can do; then the trail, oldest first.",
  examples: ["qvd vm explain ann-desk", "qvd vm explain ann-desk --last 100 --json"],
  async run(io, args) {
    const last = textOption(args, "last") ?? "30";
    if (!/^[1-9][0-9]{0,2}$/.test(last) || Number(last) > 200) {
      throw new AppError("bad-input", "--last must be a number from 1 to 200", { field: "last" });
    }
    const api = await openApi(io.env);
    const vm = await findVm(api, positional(args, 0, "VM"));
    const [answer, explained] = await Promise.all([
      api.ask("GET", `/vms/${vm.id}/trail?pageSize=${last}`),
      api.ask("GET", `/vms/${vm.id}/explain`),
    ]);
    const events = pageOf(EventShape).parse(answer).items.toReversed();
    const explanation = ExplanationShape.parse(explained);
    if (args.options.json) printJson(io, { vm, explanation, events });
    else {
      io.out(formatExplanation(explanation, Date.now()));
      io.out(events.length === 0 ? "\nNothing has happened to it yet.\n" : "\nTrail\n");
      for (const event of events) printEvent(io, event);
    }
    return 0;
  },
};

function printEvent(io: CommandIo, event: EventShape): void {
  const where = event.node === null ? "" : ` on ${event.node}`;
  const who = event.actor === null ? "" : ` (${nameActor(event.actor)})`;
  io.out(`${event.at}${where}  ${event.text}${who}\n`);
}

function formatExplanation(explanation: ExplanationShape, nowMs: number): string {
  const { wished, truth, difference, tried, next, nextAt, advice, candidates } = explanation;
  const inMs = nextAt === null ? 0 : Date.parse(nextAt) - nowMs;
  const when = inMs > 0 ? ` In about ${formatSpan(inMs)}.` : "";
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["Wished", [wished]],
    ["True", [truth]],
    ["Why", difference === null ? [] : [difference]],
    ["Nodes", candidates.map(({ node, reason }) => `${node}: ${reason}`)],
    ["Tried", tried.map(({ at, text }) => `${at}  ${text}`)],
    ["Next", [`${next}${when}`]],
    ["You can", advice.map(({ text, command }) => (command === null ? text : `${text}  ${command}`))],
  ];
  return parts.map(([title, lines]) => formatPart(title, lines)).join("");
}

function formatPart(title: string, lines: readonly string[]): string {
  return lines.map((line, index) => `${(index === 0 ? title : "").padEnd(9)}${line}\n`).join("");
}
