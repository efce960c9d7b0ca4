/**
 * What `qvd version` prints. build.ts defines both when it compiles; from the sources there is no build.
 */

declare const QVD_VERSION: string;
declare const QVD_REVISION: string;

/** Such as `0.1.0 (a1b2c3d)`, or `0.1.0` where git was not there to ask. */
export function readVersion(): string {
  const version = typeof QVD_VERSION === "string" ? QVD_VERSION : "0.0.0-sources";
  const revision = typeof QVD_REVISION === "string" ? QVD_REVISION : "";
  return revision === "" ? version : `${version} (${revision})`;
}
