import type { Db } from "../db/client.ts";
import type { NodeId } from "../domain/ids.ts";
import { systemTimers } from "../lib/clock.ts";
import { describeError } from "../lib/errors.ts";
import type { TellWake } from "../wire/wake/messages.ts";
import { reportRulesPutBack } from "./report/report-rules-put-back.ts";
import { RulesKeeper, type RulesKeeperDeps } from "./rules-keeper.ts";

type OpenDeps = Omit<RulesKeeperDeps, "onPutBack" | "timers"> & {
  readonly db: Db;
  readonly nodeId: NodeId;
  readonly tell: TellWake;
};

/** One that is at work already, and tells the desktops' trails. */
export function openRulesKeeper({ db, nodeId, tell, ...deps }: OpenDeps): RulesKeeper {
  const onPutBack: RulesKeeperDeps["onPutBack"] = ({ by }) => {
    reportRulesPutBack(db, nodeId, { by }).then(
      () => tell({ topic: "vm" }, "box"),
      // The log and the box's own report tell it too.
      (error) => deps.log.warn("rules-not-told", { reason: describeError(error) }),
    );
  };
  const keeper = new RulesKeeper({ ...deps, timers: systemTimers, onPutBack });
  keeper.start();
  return keeper;
}
