/** The benchmark's end of the thread in which people are at work (`pings.ts`). */

import type { PingAnswer, PingOrder, Seat } from "./pings.ts";

export type PeopleAtWork = {
  /** The round trips through their sessions for as long as `work` takes; milliseconds. */
  during(work: () => Promise<void>): Promise<readonly number[]>;
  leave(): void;
};

/** Returns when each has their session. */
export async function seatPeople(seats: readonly Seat[]): Promise<PeopleAtWork> {
  const thread = new Worker(new URL("./pings.ts", import.meta.url).href);
  const tell = async (order: PingOrder): Promise<readonly number[]> => {
    const answer = Promise.withResolvers<PingAnswer>();
    thread.onmessage = ({ data }: MessageEvent<PingAnswer>) => answer.resolve(data);
    thread.onerror = (event) => answer.reject(new Error(event.message));
    thread.postMessage(order);
    const said = await answer.promise;
    if (said.type === "failed") throw new Error(said.text);
    return said.taken;
  };
  try {
    await tell({ type: "open", seats });
  } catch (error) {
    thread.terminate();
    throw error;
  }
  return {
    async during(work) {
      await tell({ type: "begin" });
      await work();
      return await tell({ type: "end" });
    },
    leave: () => thread.terminate(),
  };
}
