/**
 * The one table of commands, each loaded when it is asked for: what the guest agent does not need is never
 * parsed in a desktop. The summary stands here too, so that the overview loads nothing.
 */

import { adminCommands, type CommandEntry } from "./admin-commands.ts";

export type { CommandEntry } from "./admin-commands.ts";

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "box run",
    summary: "Run a whole box: database, node and admin, restarted when they end.",
    load: async () => (await import("./box/run.ts")).boxRun,
  },
  {
    name: "box stop",
    summary: "Stop the box that `box run` keeps, desktops first.",
    load: async () => (await import("./box/stop.ts")).boxStop,
  },
  {
    name: "box prepare",
    summary: "Make the folders, secrets and certificate that a box needs.",
    load: async () => (await import("./box/prepare-command.ts")).boxPrepare,
  },
  {
    name: "box clear",
    summary: "Take away what a stopped box left on this machine: bridge, rules, control groups.",
    load: async () => (await import("./box/clear.ts")).boxClear,
  },
  {
    name: "db run",
    summary: "Run the embedded PostgreSQL.",
    load: async () => (await import("./db/run.ts")).dbRun,
  },
  {
    name: "migrate",
    summary: "Bring the database to the schema of this executable.",
    load: async () => (await import("./migrate.ts")).migrateCommand,
  },
  {
    name: "node run",
    summary: "Keep the desktops of this box as they are wished.",
    load: async () => (await import("./node/run.ts")).nodeRun,
  },
  {
    name: "node status",
    summary: "Show how this node is, what is wrong and what to do about it.",
    load: async () => (await import("./node/status.ts")).nodeStatus,
  },
  {
    name: "node upgrade",
    summary: "Have this box's node run the executable and settings that are in place now.",
    load: async () => (await import("./node/upgrade.ts")).nodeUpgrade,
  },
  {
    name: "vm console",
    summary: "Tell where the screen of a virtual machine is, as VNC.",
    load: async () => (await import("./vm/console.ts")).vmConsole,
  },
  {
    name: "keeper run",
    summary: "Keep this box's right to run desktops, and stop them when it is lost.",
    load: async () => (await import("./keeper/run.ts")).keeperRun,
  },
  {
    name: "node invite",
    summary: "Print a code by which one more box joins this site, as root of this box.",
    load: async () => (await import("./node/invite.ts")).nodeInvite,
  },
  {
    name: "node join",
    summary: "Make this box one of a site, by the code that `qvd node invite` printed there.",
    load: async () => (await import("./node/join.ts")).nodeJoin,
  },
  {
    name: "auth run",
    summary: "Prove who someone is, for broker and admin.",
    load: async () => (await import("./auth/run.ts")).authRun,
  },
  {
    name: "broker run",
    summary: "Serve the QVD port: one worker.",
    load: async () => (await import("./broker/run.ts")).brokerRun,
  },
  {
    name: "admin run",
    summary: "Serve the web admin tool and the API.",
    load: async () => (await import("./admin/run.ts")).adminRun,
  },
  {
    name: "guest run",
    summary: "Be the agent inside a desktop.",
    load: async () => (await import("./guest/run.ts")).guestRun,
  },
  {
    name: "guest unlock",
    summary: "Prove a desktop's user to what locks their screen (for PAM).",
    load: async () => (await import("./guest/unlock.ts")).guestUnlock,
  },
  {
    name: "guest slave",
    summary: "Serve one connection of a session's slave channel (for nxagent).",
    load: async () => (await import("./guest/slave.ts")).guestSlave,
  },
  {
    name: "guest screen",
    summary: "Draw a session's screen for its browsers (for the agent).",
    load: async () => (await import("./guest/screen.ts")).guestScreen,
  },
  ...adminCommands,
  {
    name: "connect",
    summary: "Open one of your desktops in a window.",
    load: async () => (await import("./connect.ts")).connect,
  },
  {
    name: "administrator create",
    summary: "Create an administrator, as root of this box.",
    load: async () => (await import("./administrator/create.ts")).administratorCreate,
  },
  {
    name: "administrator set-password",
    summary: "Give an administrator a new password, as root of this box.",
    load: async () => (await import("./administrator/set-password.ts")).administratorSetPassword,
  },
  {
    name: "administrator reset-second-factor",
    summary: "Take an administrator's second factor away, as root of this box.",
    load: async () => (await import("./administrator/reset-second-factor.ts")).administratorResetSecondFactor,
  },
  {
    name: "tenant create",
    summary: "Create a tenant, as root of this box.",
    load: async () => (await import("./tenant/create.ts")).tenantCreate,
  },
  {
    name: "config show",
    summary: "Show the settings, where each comes from, and what it means.",
    load: async () => (await import("./config/show.ts")).configShow,
  },
  {
    name: "version",
    summary: "Print the version of this executable.",
    load: async () => (await import("./version.ts")).versionCommand,
  },
];
