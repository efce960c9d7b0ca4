import { AppError } from "../../lib/errors.ts";
import type { Executor } from "./executor.ts";
import { imagePath } from "./image-path.ts";

export const unpackImage: Executor<"unpack-image"> = async (deps, { desktop, signal }, { diId }) => {
  const { image } = desktop;
  if (image?.id !== diId)
    throw new AppError("superseded", `unpacking image ${diId}: its tag has moved to another image meanwhile`);
  await deps.storage.ensureBase(diId, imagePath(deps.settings.layout, image), signal);
};
