/**
 * Which broker process carries a session (`sessions.broker_worker`): the worker's name on its box with pid and
 * start time, so that a worker's successor, which has its name, is never taken for it while it still drains.
 */

export type BrokerWorker = {
  /** Such as `broker-1`. */
  readonly name: string;
  readonly pid: number;
  /** The kernel's, in clock ticks since boot. */
  readonly startTicks: number;
};

export function formatBrokerWorker({ name, pid, startTicks }: BrokerWorker): string {
  return `${name}/${pid}/${startTicks}`;
}

/** Undefined for anything else, such as the bare name that earlier versions wrote. */
export function parseBrokerWorker(text: string): BrokerWorker | undefined {
  const [, name, pid, startTicks] = /^([^/]+)\/(\d{1,10})\/(\d{1,15})$/.exec(text) ?? [];
  return name === undefined ? undefined : { name, pid: Number(pid), startTicks: Number(startTicks) };
}
