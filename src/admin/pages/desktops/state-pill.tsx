/** A desktop's state and session as pills. What is wished but not yet true is said beside it. */

import type { VmState } from "../../../domain/vm/state.ts";
import { Pill } from "../../../ui/pill.tsx";
import { VM_STATE_TEXTS } from "../../../ui/vm-state.ts";
import { formatDuration } from "../../ui/moment.tsx";

export type StatedVm = {
  readonly state: VmState;
  readonly stateAt: Date | null;
  readonly wish: "running" | "stopped";
  readonly fault: string | null;
  /** In its node's queue of starts or stops. */
  readonly queuePosition: number | null;
};

export function StatePill(props: { readonly vm: StatedVm; readonly now: Date }) {
  const { vm, now } = props;
  const shown = VM_STATE_TEXTS[vm.state];
  const note = noteOf(vm, now);
  return (
    <>
      <Pill tone={shown.tone} text={shown.text} title={shown.title} />
      {note ? <span class="row-sub">{note}</span> : null}
    </>
  );
}

function noteOf(vm: StatedVm, now: Date): string | undefined {
  if (vm.queuePosition !== null) return `number ${vm.queuePosition} in the queue`;
  if (vm.state === "stopped" && vm.fault) return "could not start";
  if (vm.state === "stopped" && vm.wish === "running") return "start asked for";
  if (vm.state === "running" && vm.wish === "stopped") return "stop asked for";
  if (vm.stateAt === null) return undefined;
  return `for ${formatDuration(now.getTime() - vm.stateAt.getTime())}`;
}

export type SeatedVm = { readonly isConnected: boolean; readonly xState: string };

export function SessionPill(props: { readonly vm: SeatedVm }) {
  const { isConnected, xState } = props.vm;
  if (isConnected) return <Pill tone="good" text="Connected" />;
  if (xState === "suspended")
    return <Pill tone="idle" text="Suspended" title="Nobody is connected; programs go on" />;
  if (xState === "none") return <Pill tone="idle" text="None" />;
  return <Pill tone="busy" text={xState.charAt(0).toUpperCase() + xState.slice(1)} />;
}
