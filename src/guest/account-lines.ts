/** What the system's files of accounts say of a person: the fields of passwd(5), shadow(5) and group(5). */

export type AccountFields = {
  /** As `planAccount` accepts it. */
  readonly login: string;
  /** The group has the same number. */
  readonly uid: number;
  readonly fullName: string;
  readonly home: string;
  readonly shell: string;
};

export type AccountLines = Readonly<Record<"passwd" | "shadow" | "group" | "gshadow", string>>;

/** Without line ends. No password is right for the account: people sign in at the broker. */
export function accountLines({ login, uid, fullName, home, shell }: AccountFields): AccountLines {
  return {
    passwd: `${login}:x:${uid}:${uid}:${plainName(fullName)}:${home}:${shell}`,
    // No day of the last change: a password that never was can't be too old.
    shadow: `${login}:!::0:99999:7:::`,
    group: `${login}:x:${uid}:`,
    gshadow: `${login}:!::`,
  };
}

/** The field ends at a colon and its parts at commas. */
function plainName(name: string): string {
  return name.replace(/[:,\n\p{Cc}]/gu, " ").slice(0, 100);
}
