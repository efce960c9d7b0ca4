/** A request of the QVD client dialect as parsed; bodies do not exist in it. */
export type RequestHead = {
  /** As written: the dialect compares case-sensitively. */
  readonly method: string;
  /** Path of the target, without the query and, in absolute form, without scheme and authority. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  /** Names in lower case; of headers that came twice the last value. */
  readonly headers: ReadonlyMap<string, string>;
};

/** Why a head was refused. The connection can't be used after it. */
export type HeadFault = {
  readonly status: 400 | 414 | 431 | 505;
  readonly text: string;
};
