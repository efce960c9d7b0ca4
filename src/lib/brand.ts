/** A nominal type: `Brand<number, "VmId">` is a number that no other id can be mistaken for. */
declare const brand: unique symbol;
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
