/**
 * Unpacks images that are ready before anybody starts from them, one at a time: a first unpacking takes
 * seconds that the first person would wait for. A start that comes meanwhile waits under the storage's lock
 * for the same tree. What can't be unpacked is a problem of the node, not of the image, and is tried again.
 */

import { stat } from "node:fs/promises";
import type { Db } from "../db/client.ts";
import { isDatabaseAway } from "../db/errors.ts";
import { listReadyImages, type ReadyImage } from "../db/queries/node-images.ts";
import type { DiId } from "../domain/ids.ts";
import type { Layout } from "../domain/node/layout.ts";
import { planUnpacking, type UnpackTry } from "../domain/node/plan-unpacking.ts";
import type { NotUnpacked } from "../domain/node/report.ts";
import type { Clock } from "../lib/clock.ts";
import { describeError, isAppError } from "../lib/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Storage } from "../storage/storage.ts";
import { imagePath } from "./execute/image-path.ts";

export type BaseUnpackerDeps = {
  readonly db: Db;
  readonly storage: Pick<Storage, "ensureBase" | "hasBase">;
  readonly layout: Layout;
  /** What can't be unpacked has become more or less. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Log;
};

const DATABASE_AGAIN_MS = 2_000;

export class BaseUnpacker {
  readonly #deps: BaseUnpackerDeps;
  readonly #abort = new AbortController();
  readonly #tries = new Map<DiId, UnpackTry & { readonly image: ReadyImage }>();
  #current: DiId | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> | undefined;
  #isWoken = false;

  constructor(deps: BaseUnpackerDeps) {
    this.#deps = deps;
  }

  /** An image may have become ready. */
  wake(): void {
    this.#isWoken = true;
    this.#work ??= this.#run();
  }

  isUnpacking(diId: DiId): boolean {
    return this.#current === diId;
  }

  get failed(): readonly NotUnpacked[] {
    return [...this.#tries.values()].map(({ image, fault }) => ({
      name: `${image.osf}:${image.version}`,
      ...fault,
    }));
  }

  /** Calls the present unpacking off and waits for that; the next process begins it again. */
  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#work;
  }

  async #run(): Promise<void> {
    while (this.#isWoken && !this.#abort.signal.aborted) {
      this.#isWoken = false;
      clearTimeout(this.#timer);
      try {
        await this.#look();
      } catch (error) {
        if (!isDatabaseAway(error)) this.#deps.log.error("unpacking-failed", { error });
        this.#wakeIn(DATABASE_AGAIN_MS);
      }
    }
    this.#work = undefined;
  }

  async #look(): Promise<void> {
    const { clock } = this.#deps;
    const packed = await this.#listPacked();
    this.#forget(packed);
    const ids = packed.map(({ id }) => id);
    const plan = planUnpacking(ids, this.#tries, clock.monotonicMs());
    const image = packed.find(({ id }) => id === plan.next);
    if (plan.wakeAtMs !== undefined) this.#wakeIn(plan.wakeAtMs - clock.monotonicMs());
    if (image === undefined) return;
    await this.#unpack(image);
    // Another may be next.
    this.#isWoken = true;
  }

  /** Ready images whose file is on this box and whose tree isn't. */
  async #listPacked(): Promise<readonly ReadyImage[]> {
    const { db, storage, layout } = this.#deps;
    const packed: ReadyImage[] = [];
    for (const image of await listReadyImages(db)) {
      if (await storage.hasBase(image.id)) continue;
      const file = await stat(imagePath(layout, image)).catch(() => undefined);
      if (file?.isFile()) packed.push(image);
    }
    return packed;
  }

  async #unpack(image: ReadyImage): Promise<void> {
    const { storage, layout, clock, log } = this.#deps;
    const { signal } = this.#abort;
    const startedMs = clock.monotonicMs();
    this.#current = image.id;
    try {
      await storage.ensureBase(image.id, imagePath(layout, image), signal);
      this.#tries.delete(image.id);
      log.info("image-unpacked", {
        diId: image.id,
        tookMs: Math.round(clock.monotonicMs() - startedMs),
      });
    } catch (error) {
      // Called off, not failed.
      if (signal.aborted) return;
      const failures = (this.#tries.get(image.id)?.failures ?? 0) + 1;
      const fault = { code: isAppError(error) ? error.code : "driver-failed", text: describeError(error) };
      this.#tries.set(image.id, { image, failures, failedAtMs: clock.monotonicMs(), fault });
      log.warn("image-not-unpacked", { diId: image.id, failures, error });
    } finally {
      this.#current = undefined;
    }
    this.#deps.onChange();
  }

  /** A start may have unpacked it meanwhile, or somebody has deleted it. */
  #forget(packed: readonly ReadyImage[]): void {
    for (const diId of this.#tries.keys())
      if (!packed.some(({ id }) => id === diId)) {
        this.#tries.delete(diId);
        this.#deps.onChange();
      }
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.max(1, ms));
  }
}
