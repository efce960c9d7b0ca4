/**
 * What a site setting is: a value that holds for the whole site or for one tenant, kept in the database and
 * changed while everything runs. Names, meanings and defaults are those of QVD 4 where it had the setting.
 * What starts a process is no site setting but stands in `src/config`.
 */

/** Settings that belong together, in the order in which pages show them. */
export const SETTING_GROUPS = {
  chain: "Who proves it",
  names: "Names",
  directory: "Directory",
  groups: "Groups of the directory",
  auto: "Accounts made at the first sign-in",
  policy: "Who may use what",
  "second-factor": "Second factor",
  tokens: "Tokens",
  oidc: "OpenID Connect",
  sessions: "Sessions",
  history: "What happened",
} as const;
export type SettingGroup = keyof typeof SETTING_GROUPS;

type Common = {
  readonly group: SettingGroup;
  /** `site`: one value for all. `tenant`: the site's holds for every tenant that has none of its own. */
  readonly scope: "site" | "tenant";
  /** Above the field of a form; the name stands beside it. */
  readonly label: string;
  /** What it means and what follows from it, for pages and the command line. */
  readonly doc: string;
};

export type SettingSpec = Common &
  (
    | {
        readonly kind: "text";
        readonly default: string;
        /** Several lines, such as a certificate; else one. */
        readonly isLong?: boolean;
        /** What is wrong with a value, as the end of "it …"; undefined when nothing is. */
        readonly check?: (value: string) => string | undefined;
      }
    | {
        readonly kind: "number";
        readonly default: number;
        readonly least: number;
        readonly most: number;
        readonly unit?: string;
      }
    | { readonly kind: "switch"; readonly default: boolean }
    | { readonly kind: "choice"; readonly default: string; readonly choices: readonly string[] }
    /** Written with commas between. */
    | {
        readonly kind: "words";
        readonly default: readonly string[];
        readonly choices?: readonly string[];
      }
    | {
        /** Sealed for auth alone when it is set, and shown to nobody again. */
        readonly kind: "secret";
        /**
         * Settings that say where the secret goes. It is sealed together with their values: when one of them
         * changes it is good for nothing, so nobody gets it by naming a server of their own.
         */
        readonly boundTo: readonly string[];
      }
  );

/** Opened by `qvd auth run` only: src/wire/setting/sealed-secret.ts. */
export type SealedSecret = { readonly sealed: string };

/** What code that uses a setting of this kind gets. A secret that isn't set is undefined. */
export type SettingValueOf<Spec> = Spec extends { kind: "number" }
  ? number
  : Spec extends { kind: "switch" }
    ? boolean
    : Spec extends { kind: "words" }
      ? readonly string[]
      : Spec extends { kind: "secret" }
        ? SealedSecret | undefined
        : Spec extends { kind: "choice"; choices: readonly (infer Choice)[] }
          ? Choice
          : string;

/** As it is kept in the database. */
export type SettingValue = string | number | boolean | readonly string[] | SealedSecret;
