/** Unpacks image 5 in a process of its own that a test can kill: state folder and archive are its arguments. */

import { asId } from "../../src/domain/ids.ts";
import { layoutOf } from "../../src/domain/node/layout.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createStorage } from "../../src/storage/storage.ts";

const [state = "", archive = ""] = process.argv.slice(2);
const storage = createStorage({
  layout: layoutOf(state, state),
  idRangeFirst: 1_000_000,
  log: silentLog(),
  reserveBytes: 0,
});
await storage.ensureBase(asId(5), archive, new AbortController().signal);
