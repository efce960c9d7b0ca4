/** The commands of administrators, loaded when asked for. */

import type { Command } from "./command.ts";

export type CommandEntry = {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
};

export const adminCommands: readonly CommandEntry[] = [
  {
    name: "admin sign-in",
    summary: "Sign in as an administrator, for the commands that change things.",
    load: async () => (await import("./admin/sign-in.ts")).adminSignIn,
  },
  {
    name: "admin sign-out",
    summary: "End the sign-in of this account and forget its token.",
    load: async () => (await import("./admin/sign-out.ts")).adminSignOut,
  },
  {
    name: "tenant list",
    summary: "List the tenants, with how much is theirs.",
    load: async () => (await import("./tenant/list.ts")).tenantList,
  },
  {
    name: "tenant show",
    summary: "Show a tenant and how much is theirs.",
    load: async () => (await import("./tenant/show.ts")).tenantShow,
  },
  {
    name: "administrator list",
    summary: "List who may administer what.",
    load: async () => (await import("./administrator/list.ts")).administratorList,
  },
  {
    name: "administrator show",
    summary: "Show an administrator and what they may do.",
    load: async () => (await import("./administrator/show.ts")).administratorShow,
  },
  {
    name: "administrator block",
    summary: "Refuse an administrator from now on, and end their sign-ins.",
    load: async () => (await import("./administrator/block.ts")).administratorBlock,
  },
  {
    name: "administrator unblock",
    summary: "Let a blocked administrator sign in again.",
    load: async () => (await import("./administrator/unblock.ts")).administratorUnblock,
  },
  {
    name: "administrator delete",
    summary: "Delete an administrator.",
    load: async () => (await import("./administrator/delete.ts")).administratorDelete,
  },
  {
    name: "audit list",
    summary: "List who asked for what, the newest first.",
    load: async () => (await import("./audit/list.ts")).auditList,
  },
  {
    name: "user list",
    summary: "List the people who may have desktops.",
    load: async () => (await import("./user/list.ts")).userList,
  },
  {
    name: "user show",
    summary: "Show a user and their desktops.",
    load: async () => (await import("./user/show.ts")).userShow,
  },
  {
    name: "user create",
    summary: "Create a user, who can then be given desktops.",
    load: async () => (await import("./user/create.ts")).userCreate,
  },
  {
    name: "user change",
    summary: "Change a user's full name.",
    load: async () => (await import("./user/change.ts")).userChange,
  },
  {
    name: "user set-password",
    summary: "Give a user a new password.",
    load: async () => (await import("./user/set-password.ts")).userSetPassword,
  },
  {
    name: "user block",
    summary: "Refuse a user from now on; running sessions go on.",
    load: async () => (await import("./user/block.ts")).userBlock,
  },
  {
    name: "user set-second-factor",
    summary: "Give a user the second factor that they had with QVD 4.",
    load: async () => (await import("./user/set-second-factor.ts")).userSetSecondFactor,
  },
  {
    name: "user reset-second-factor",
    summary: "Take a user's second factor away, for one whose phone is lost.",
    load: async () => (await import("./user/reset-second-factor.ts")).userResetSecondFactor,
  },
  {
    name: "token list",
    summary: "List the bearer tokens that stand for a user.",
    load: async () => (await import("./token/list.ts")).tokenList,
  },
  {
    name: "token revoke",
    summary: "Make a user's bearer token good for nothing.",
    load: async () => (await import("./token/revoke.ts")).tokenRevoke,
  },
  {
    name: "user unblock",
    summary: "Let a blocked user in again.",
    load: async () => (await import("./user/unblock.ts")).userUnblock,
  },
  {
    name: "user delete",
    summary: "Delete a user who has no desktops.",
    load: async () => (await import("./user/delete.ts")).userDelete,
  },
  {
    name: "vm list",
    summary: "List desktops with what they do now.",
    load: async () => (await import("./vm/list.ts")).vmList,
  },
  {
    name: "vm show",
    summary: "Show a desktop: what is wished, what is true.",
    load: async () => (await import("./vm/show.ts")).vmShow,
  },
  {
    name: "vm explain",
    summary: "Tell why a desktop is as it is, what happens next, and what can be done.",
    load: async () => (await import("./vm/explain.ts")).vmExplain,
  },
  {
    name: "vm create",
    summary: "Create a desktop for a user.",
    load: async () => (await import("./vm/create.ts")).vmCreate,
  },
  {
    name: "vm change",
    summary: "Rename a desktop, or choose another image tag for its next start.",
    load: async () => (await import("./vm/change.ts")).vmChange,
  },
  {
    name: "vm start",
    summary: "Wish desktops running; their nodes start them.",
    load: async () => (await import("./vm/start.ts")).vmStart,
  },
  {
    name: "vm stop",
    summary: "Wish desktops stopped; their nodes shut them down gracefully, then by force.",
    load: async () => (await import("./vm/stop.ts")).vmStop,
  },
  {
    name: "vm watch",
    summary: "Ask to see the session that somebody has open in a browser.",
    load: async () => (await import("./vm/watch.ts")).vmWatch,
  },
  {
    name: "vm disconnect",
    summary: "End the live session of a desktop; the desktop and its programs go on.",
    load: async () => (await import("./vm/disconnect.ts")).vmDisconnect,
  },
  {
    name: "vm block",
    summary: "Refuse new sessions and starts of a desktop; it is not stopped.",
    load: async () => (await import("./vm/block.ts")).vmBlock,
  },
  {
    name: "vm unblock",
    summary: "Let a blocked desktop be used again.",
    load: async () => (await import("./vm/unblock.ts")).vmUnblock,
  },
  {
    name: "session list",
    summary: "List sessions, past ones too, newest first: who, from where, how long, and why they ended.",
    load: async () => (await import("./session/list.ts")).sessionList,
  },
  {
    name: "session show",
    summary: "Show one session.",
    load: async () => (await import("./session/show.ts")).sessionShow,
  },
  {
    name: "session end",
    summary: "Disconnect whoever sits in a session; the desktop and its programs go on.",
    load: async () => (await import("./session/end.ts")).sessionEnd,
  },
  {
    name: "vm delete",
    summary: "Delete a desktop; its home is put aside, not removed.",
    load: async () => (await import("./vm/delete.ts")).vmDelete,
  },
  {
    name: "osf list",
    summary: "List OS flavours: what desktops are made of and how much they get.",
    load: async () => (await import("./osf/list.ts")).osfList,
  },
  {
    name: "osf show",
    summary: "Show an OS flavour: what its desktops get, and what it promises them.",
    load: async () => (await import("./osf/show.ts")).osfShow,
  },
  {
    name: "osf create",
    summary: "Create an OS flavour, which images are then added to.",
    load: async () => (await import("./osf/create.ts")).osfCreate,
  },
  {
    name: "osf change",
    summary: "Rename an OS flavour or change what its desktops get from their next start on.",
    load: async () => (await import("./osf/change.ts")).osfChange,
  },
  {
    name: "osf delete",
    summary: "Delete an OS flavour that has neither images nor desktops.",
    load: async () => (await import("./osf/delete.ts")).osfDelete,
  },
  {
    name: "image list",
    summary: "List images with their OS flavour, state and tags.",
    load: async () => (await import("./image/list.ts")).imageList,
  },
  {
    name: "image add",
    summary: "Enrol an image as a new version of an OS flavour: send a file, or let a node fetch it.",
    load: async () => (await import("./image/add.ts")).imageAdd,
  },
  {
    name: "image show",
    summary: "Show an image: what it is, how far it has come, who uses it.",
    load: async () => (await import("./image/show.ts")).imageShow,
  },
  {
    name: "image build",
    summary: "Build an image archive from a recipe, and enrol it if wanted.",
    load: async () => (await import("./image/build.ts")).imageBuild,
  },
  {
    name: "image publish",
    summary: "Make an image the newest of its OS flavour; desktops of its tags start from it next.",
    load: async () => (await import("./image/publish.ts")).imagePublish,
  },
  {
    name: "image retire",
    summary: "Take an image out of use and keep it; desktops that run on it go on.",
    load: async () => (await import("./image/retire.ts")).imageRetire,
  },
  {
    name: "image tag",
    summary: "Put a tag on an image, taking it from the image that has it: roll-out, and roll-back.",
    load: async () => (await import("./image/tag.ts")).imageTag,
  },
  {
    name: "image untag",
    summary: "Take a tag off an image; refused while desktops follow the tag.",
    load: async () => (await import("./image/untag.ts")).imageUntag,
  },
  {
    name: "image block",
    summary: "Let no desktop start from an image; those that run on it go on.",
    load: async () => (await import("./image/block.ts")).imageBlock,
  },
  {
    name: "image unblock",
    summary: "Let desktops start from an image again.",
    load: async () => (await import("./image/unblock.ts")).imageUnblock,
  },
  {
    name: "image delete",
    summary: "Delete an image that no desktop uses and no tag names.",
    load: async () => (await import("./image/delete.ts")).imageDelete,
  },
  {
    name: "node list",
    summary: "List the boxes of the site and how each is.",
    load: async () => (await import("./node/list.ts")).nodeList,
  },
  {
    name: "node block",
    summary: "Let a node take no new clients and desktops; what runs there goes on.",
    load: async () => (await import("./node/block.ts")).nodeBlock,
  },
  {
    name: "node unblock",
    summary: "Let a blocked node take clients and desktops again.",
    load: async () => (await import("./node/unblock.ts")).nodeUnblock,
  },
  {
    name: "node drain",
    summary: "Empty a node: it takes no more, and its desktops finish or move.",
    load: async () => (await import("./node/drain.ts")).nodeDrain,
  },
  {
    name: "node undrain",
    summary: "End the drain of a node: it takes desktops again.",
    load: async () => (await import("./node/undrain.ts")).nodeUndrain,
  },
  {
    name: "node end-stranger",
    summary: "End a desktop that runs on a node though the site does not place it there.",
    load: async () => (await import("./node/end-stranger.ts")).nodeEndStranger,
  },
  {
    name: "node change",
    summary: "Change how readily a node is given desktops.",
    load: async () => (await import("./node/change.ts")).nodeChange,
  },
  {
    name: "node remove",
    summary: "Take a node out of the site; refused while anything hangs on it.",
    load: async () => (await import("./node/remove.ts")).nodeRemove,
  },
  {
    name: "property list",
    summary: "List the properties of a user, desktop, node, OSF or image.",
    load: async () => (await import("./property/list.ts")).propertyList,
  },
  {
    name: "property set",
    summary: "Give a user, desktop, node, OSF or image properties.",
    load: async () => (await import("./property/set.ts")).propertySet,
  },
  {
    name: "property unset",
    summary: "Remove properties of a user, desktop, node, OSF or image.",
    load: async () => (await import("./property/unset.ts")).propertyUnset,
  },
  {
    name: "config list",
    summary: "List the settings of the site or of a tenant.",
    load: async () => (await import("./config/list.ts")).configList,
  },
  {
    name: "config get",
    summary: "Print a setting of the site or of a tenant.",
    load: async () => (await import("./config/get.ts")).configGet,
  },
  {
    name: "config set",
    summary: "Set a setting of the site or of a tenant.",
    load: async () => (await import("./config/set.ts")).configSet,
  },
  {
    name: "config unset",
    summary: "Forget a setting of the site or of a tenant.",
    load: async () => (await import("./config/unset.ts")).configUnset,
  },
  {
    name: "auth slowed",
    summary: "List whose next try to sign in is slowed down, after too many failures.",
    load: async () => (await import("./auth/slowed.ts")).authSlowed,
  },
  {
    name: "auth forget",
    summary: "Forget failures to sign in, so that the next try is looked at at once.",
    load: async () => (await import("./auth/forget.ts")).authForget,
  },
  {
    name: "auth test-directory",
    summary: "Try the directory of the site or of a tenant step by step, and say what fails.",
    load: async () => (await import("./auth/test-directory.ts")).authTestDirectory,
  },
];
