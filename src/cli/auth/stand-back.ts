import { setPriority } from "node:os";

const NICE = 10;

/**
 * A password costs 20 ms and more of a processor; the bytes of everybody's sessions go before it. For the whole process,
 * before it begins. No more than this: brokers are put before all else by themselves, and beside desktops that take all
 * processors, each of which weighs ten times as much, a group of its own with this priority would get next to nothing.
 */
export function standBack(): void {
  setPriority(NICE);
}
