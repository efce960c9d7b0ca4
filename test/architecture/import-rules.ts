/**
 * Who may import whom, as a table from → to → why. Arrows point one way:
 *
 *     lib ← domain ← wire, db, hypervisor, storage, network, auth ← service ← node, broker, admin, guest ← cli ← main
 */

export type ImportRule = {
  /** Folders below `src`. */
  readonly from: readonly string[];
  /** Folders below `src`, or packages. */
  readonly mustNotImport: readonly string[];
  readonly why: string;
  /** Importing a type is fine: nothing of it is there at run time. */
  readonly typesAreFine?: boolean;
};

const MODES = ["node", "broker", "admin", "guest"];
/** What runs at a person's PC. */
const CLIENT = "client";
/** The kit of pages: administrators' by admin, users' by the broker's gateway. */
const UI = "ui";
const DRIVERS = ["hypervisor", "storage", "network"];
const SERVERS = ["drizzle-orm", "postgres", "hono", "htmx.org"];
const LIBRARIES = [...SERVERS, "zod"];
/** What lets code act on the world. */
const ACTING = [
  "node:fs",
  "node:fs/promises",
  "node:child_process",
  "node:net",
  "node:tls",
  "node:http",
  "node:timers",
];

export const IMPORT_RULES: readonly ImportRule[] = [
  {
    from: ["lib"],
    mustNotImport: [
      "domain",
      "wire",
      "db",
      ...DRIVERS,
      "auth",
      "service",
      ...MODES,
      "cli",
      "config",
      ...LIBRARIES,
    ],
    why: "lib knows none of our nouns; what needs one belongs to domain",
  },
  {
    from: ["domain"],
    mustNotImport: [
      "wire",
      "db",
      ...DRIVERS,
      "auth",
      "service",
      ...MODES,
      "cli",
      "config",
      ...LIBRARIES,
      ...ACTING,
    ],
    why: "a decision that does I/O can't be tested as a table",
  },
  {
    from: ["wire"],
    mustNotImport: [
      "db",
      ...DRIVERS,
      "auth",
      "service",
      ...MODES,
      "cli",
      "config",
      "drizzle-orm",
      "postgres",
      "hono",
    ],
    why: "the guest would carry the database",
  },
  {
    from: ["db"],
    mustNotImport: [...DRIVERS, "auth", "service", ...MODES, "cli", "config", "hono"],
    why: "reads and schema are below everything that decides",
  },
  ...DRIVERS.map((driver) => ({
    from: [driver],
    mustNotImport: [
      ...DRIVERS.filter((other) => other !== driver),
      ...["db", "wire", "auth", "service", ...MODES, "cli", "config", ...SERVERS],
    ],
    why: "a driver must run alone in its contract suite",
  })),
  {
    from: [CLIENT],
    mustNotImport: ["db", ...DRIVERS, "auth", "service", ...MODES, UI, "cli", "config", ...SERVERS],
    why: "it runs at a person's PC, and knows of a site what the QVD port says",
  },
  {
    from: ["auth"],
    mustNotImport: [...DRIVERS, "service", ...MODES, "cli", "config", "hono"],
    why: "who proves identities is asked by everybody and asks nobody",
  },
  {
    from: ["service"],
    mustNotImport: [...DRIVERS, ...MODES, "cli", "config", "hono"],
    why: "a verb records a wish, it does not act",
  },
  {
    from: ["node"],
    mustNotImport: ["broker", "admin", "guest", "cli", "config", "hono"],
    why: "the node starts brokers as processes and talks to guests over the wire",
  },
  {
    from: ["broker"],
    mustNotImport: [...DRIVERS, "node", "admin", "guest", "cli", "config"],
    why: "it asks for a desktop, it never starts one",
  },
  {
    from: [UI],
    mustNotImport: ["wire", "db", ...DRIVERS, "auth", "service", ...MODES, "cli", "config", ...ACTING, "zod"],
    why: "a component is a function of what it is given; both kinds of pages are made of it",
  },
  {
    from: ["admin"],
    mustNotImport: [...DRIVERS, "node", "broker", "guest", "cli", "config"],
    why: "the page shows and asks",
  },
  {
    from: ["guest"],
    mustNotImport: [
      "db",
      ...DRIVERS,
      "auth",
      "service",
      "node",
      "broker",
      "admin",
      "cli",
      "config",
      ...LIBRARIES,
    ],
    why: "the agent is small, and trusted with little",
  },
  {
    from: ["config"],
    mustNotImport: ["db", "wire", ...DRIVERS, "auth", "service", ...MODES, "cli", ...LIBRARIES],
    why: "settings are values; what uses them receives them",
  },
  {
    from: ["cli"],
    mustNotImport: ["main.ts"],
    why: "main knows the command table, not the other way round",
  },
];

/** Packages that only the folders named may use. */
export const PACKAGE_HOMES: readonly {
  readonly name: string;
  readonly folders: readonly string[];
  readonly why: string;
}[] = [
  { name: "postgres", folders: ["db"], why: "one place makes clients, patched against lost connections" },
  {
    name: "hono",
    folders: ["admin", "broker", "ui"],
    why: "administrators' and users' pages answer browsers",
  },
  { name: "htmx.org", folders: ["admin", "broker"], why: "administrators' and users' pages answer browsers" },
  { name: "openid-client", folders: ["auth"], why: "who somebody is, is asked by one process" },
  { name: "uqr", folders: ["domain"], why: "one place draws QR codes, as the path of an SVG" },
  { name: "@novnc/novnc", folders: ["broker"], why: "the gateway alone shows a desktop to a browser" },
  {
    name: "drizzle-orm",
    folders: ["db", "service", "auth", "node", "broker"],
    why: "pages, commands and drivers ask a query or a verb",
  },
  {
    name: "bun:ffi",
    folders: ["hypervisor", "storage", "network", "lib", "node", "guest"],
    why: "calls past Bun's own interface are few, experimental and each has a decision page",
  },
];
