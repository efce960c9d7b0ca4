/** The id of each noun, so that a desktop's can't be passed where a user's is wanted. */

import type { Brand } from "../lib/brand.ts";

export type TenantId = Brand<number, "TenantId">;
export type UserId = Brand<number, "UserId">;
export type AdministratorId = Brand<number, "AdministratorId">;
export type OsfId = Brand<number, "OsfId">;
export type DiId = Brand<number, "DiId">;
export type VmId = Brand<number, "VmId">;
export type NodeId = Brand<number, "NodeId">;
export type SessionId = Brand<number, "SessionId">;
export type TokenId = Brand<number, "TokenId">;
export type VisitId = Brand<number, "VisitId">;

type AnyId =
  | TenantId
  | UserId
  | AdministratorId
  | OsfId
  | DiId
  | VmId
  | NodeId
  | SessionId
  | TokenId
  | VisitId;

const MOST = 2 ** 31 - 1;

/**
 * The id written in `text`, or undefined when it is not a decimal number from 1 to 2^31-1. The brand is true
 * by construction: the caller names the noun that the text stands for.
 */
export function parseId<Id extends AnyId>(text: string): Id | undefined {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MOST ? (value as Id) : undefined;
}

/** Brands a number that came from the database or a validated message; the guarantee is its source. */
export function asId<Id extends AnyId>(value: number): Id {
  return value as Id;
}
