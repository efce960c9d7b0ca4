/**
 * What an OSF promises its desktops, as input of `osf.create` and `osf.change`. What comes from a form or a
 * command is text, so a span may be `15m`, and a limit or a span that is empty, `none` or `never` is none.
 */

import { z } from "zod";
import { CRASH_POLICIES, HYPERVISORS } from "../../db/schema/osfs.ts";
import { keptFolderFault, MOST_KEPT_FOLDERS } from "../../domain/image/kept-folder.ts";
import { PERSISTENCES, type Persistence } from "../../domain/image/persistence.ts";
import { parseSpan } from "../../domain/image/span.ts";
import { AppError } from "../../lib/errors.ts";
import { textField, wholeNumber } from "../input.ts";

const MOST_SPAN_SECONDS = 31_536_000;
const SPAN_TEXT = "must be never, or a time of at most a year such as 0, 90s, 15m, 2h or 3d";
const LIMIT_ERROR = { error: "must be none, or a whole number of MB from 16 to 16777216" };

export const osfPolicyFields = {
  hypervisor: choice(HYPERVISORS),
  persistence: choice(PERSISTENCES),
  keptFolders: z
    .preprocess(asList, z.array(z.string({ error: "must be text" })))
    .superRefine((paths, context) => {
      if (paths.length > MOST_KEPT_FOLDERS)
        context.addIssue({ code: "custom", message: `must be at most ${MOST_KEPT_FOLDERS} folders` });
      for (const path of paths) {
        const fault = keptFolderFault(path);
        if (fault !== undefined) context.addIssue({ code: "custom", message: `${path}: ${fault}` });
      }
    })
    .optional(),
  homeMb: limit().optional(),
  systemMb: limit().optional(),
  idleStopSeconds: span().optional(),
  onCrash: choice(CRASH_POLICIES),
  allowsNeighbours: z.preprocess(asFlag, z.boolean({ error: "must be true or false" })).optional(),
  hasAgent: z.preprocess(asFlag, z.boolean({ error: "must be true or false" })).optional(),
  offersConsole: z.preprocess(asFlag, z.boolean({ error: "must be true or false" })).optional(),
  expirySoftSeconds: span().optional(),
  expiryHardSeconds: span().optional(),
  isApplication: z.preprocess(asFlag, z.boolean({ error: "must be true or false" })).optional(),
  program: z.preprocess(asNoProgram, z.union([z.null(), textField(1, 1024)])).optional(),
} as const;

export type OsfPolicy = {
  readonly hypervisor?: (typeof HYPERVISORS)[number] | undefined;
  readonly systemMb?: number | null | undefined;
  readonly hasAgent?: boolean | undefined;
  readonly offersConsole?: boolean | undefined;
  readonly persistence?: Persistence | undefined;
  readonly keptFolders?: readonly string[] | undefined;
  readonly expirySoftSeconds?: number | null | undefined;
  readonly expiryHardSeconds?: number | null | undefined;
  readonly isApplication?: boolean | undefined;
  readonly program?: string | null | undefined;
};

/** Names of the fields, for those that pass them on. */
export const OSF_POLICY_NAMES = Object.keys(osfPolicyFields) as (keyof typeof osfPolicyFields)[];

/**
 * What is true of the fields together, whichever of them were changed. What an OSF had `before` and its hypervisor never kept
 * may stay: earlier versions took it, and it must not stand in the way of other changes.
 */
export function requireSensiblePolicy(policy: OsfPolicy, before?: OsfPolicy): void {
  const { expirySoftSeconds: soft = null, expiryHardSeconds: hard = null } = policy;
  if (soft !== null && hard !== null && hard < soft)
    throw new AppError("bad-input", "expiryHardSeconds: must not be before the time when people are asked", {
      field: "expiryHardSeconds",
    });
  if (policy.persistence === "folders" && (policy.keptFolders ?? []).length === 0)
    throw new AppError("bad-input", "keptFolders: name the folders that are kept besides the home", {
      field: "keptFolders",
    });
  if (policy.isApplication !== true && (policy.program ?? null) !== null)
    throw new AppError("bad-input", "program: only an application has one; say that it is an application", {
      field: "program",
    });
  const faults = listUnsuited(policy);
  const had = before === undefined ? [] : listUnsuited(before);
  const isOld = ({ field }: Unsuited) =>
    had.some((old) => old.field === field) && before?.[field] === policy[field];
  const fault = faults.find((one) => !isOld(one));
  if (fault === undefined) return;
  throw new AppError("bad-input", `${fault.field}: ${fault.why}`, { field: fault.field });
}

type Unsuited = { readonly field: keyof OsfPolicy; readonly why: string };

/** A promise that containers, or machines, can't keep would be remembered and never obeyed. */
function listUnsuited(policy: OsfPolicy): readonly Unsuited[] {
  const { hypervisor = "lxc", persistence, systemMb = null, hasAgent = true, offersConsole } = policy;
  const unsuited = (field: keyof OsfPolicy, isUnsuited: boolean, why: string) =>
    isUnsuited ? [{ field, why }] : [];
  const ofFolders = "nobody but a virtual machine's own system knows of its folders; keep home or everything";
  const ofSystem = "a virtual machine's system is as large as its image; give none";
  if (hypervisor === "kvm")
    return [
      ...unsuited("persistence", persistence === "folders", ofFolders),
      ...unsuited("systemMb", systemMb !== null, ofSystem),
    ];
  return [
    ...unsuited("hasAgent", !hasAgent, "only a virtual machine does without our agent; give yes"),
    ...unsuited(
      "offersConsole",
      offersConsole === true,
      "only a virtual machine has a console to offer; give no",
    ),
  ];
}

function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `must be one of ${values.join(", ")}` }).optional();
}

function limit() {
  return z.preprocess(asNone, z.union([z.null(), wholeNumber(16, 16_777_216)], LIMIT_ERROR));
}

function span() {
  const seconds = z
    .number({ error: SPAN_TEXT })
    .int(SPAN_TEXT)
    .min(0, SPAN_TEXT)
    .max(MOST_SPAN_SECONDS, SPAN_TEXT);
  return z.preprocess(
    (value) => (typeof value === "string" ? parseSpan(value) : value),
    z.union([z.null(), seconds], { error: SPAN_TEXT }),
  );
}

function asNone(value: unknown): unknown {
  return typeof value === "string" && ["", "none", "never"].includes(value.trim().toLowerCase())
    ? null
    : value;
}

function asNoProgram(value: unknown): unknown {
  return typeof value === "string" && ["", "none"].includes(value.trim()) ? null : value;
}

function asList(value: unknown): unknown {
  return typeof value === "string" ? value.split(/[\s,]+/).filter((part) => part !== "") : value;
}

/** A box that isn't ticked says nothing at all; forms say `no` for it. */
function asFlag(value: unknown): unknown {
  if (value === "yes" || value === "true") return true;
  return value === "no" || value === "false" || value === "" ? false : value;
}
