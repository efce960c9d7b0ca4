/**
 * Every change that may be asked for, and who may ask: the one table of rights. An administrator needs the
 * action's acl (names are QVD's; `*` is all of them); `also` names who else may, for their own things only.
 */

export type ActionRule = {
  readonly acl: string;
  /** `site`: not of one tenant, so for administrators of the site alone. `tenant`: also for the tenant's own. */
  readonly scope: "site" | "tenant";
  readonly also?: readonly ("owner" | "vm" | "node")[];
  /** False where no administrator may, whatever acls they hold. */
  readonly forAdministrators?: false;
};

export const ACTIONS = {
  "tenant.create": { acl: "tenant.create.", scope: "site" },

  // Failures to sign in that auth remembers.
  "sign-in.forget-slowed": { acl: "config.qvd.", scope: "tenant" },
  "sign-in.forget-slowed-site": { acl: "config.qvd.", scope: "site" },

  "setting.change-site": { acl: "config.qvd.", scope: "site" },
  "setting.change": { acl: "config.qvd.", scope: "tenant" },

  // By auth, for whom it has just proved.
  "user.provision": { acl: "", scope: "site", forAdministrators: false },
  "user.upgrade-hash": { acl: "", scope: "site", forAdministrators: false },
  "user.create": { acl: "user.create.", scope: "tenant" },
  "user.change": { acl: "user.update.name", scope: "tenant" },
  "user.set-password": { acl: "user.update.password", scope: "tenant" },
  "user.block": { acl: "user.update.block", scope: "tenant" },
  "user.unblock": { acl: "user.update.block", scope: "tenant" },
  "user.delete": { acl: "user.delete.", scope: "tenant" },

  "administrator.create": { acl: "administrator.create.", scope: "tenant" },
  "administrator.set-password": { acl: "administrator.update.password", scope: "tenant" },
  "administrator.block": { acl: "administrator.update.block", scope: "tenant" },
  "administrator.unblock": { acl: "administrator.update.block", scope: "tenant" },
  "administrator.delete": { acl: "administrator.delete.", scope: "tenant" },
  "administrator.sign-in": { acl: "", scope: "site", forAdministrators: false },

  // A lost phone: as much as giving a new password.
  "user.reset-second-factor": { acl: "user.update.password", scope: "tenant" },
  // The app that they had with QVD 4.
  "user.set-second-factor": { acl: "user.update.password", scope: "tenant" },
  "administrator.reset-second-factor": { acl: "administrator.update.password", scope: "tenant" },
  // By auth, for somebody who has just proved themselves.
  "administrator.apply-roles": { acl: "", scope: "site", forAdministrators: false },
  "second-factor.enrol": { acl: "", scope: "site", forAdministrators: false },
  "second-factor.use": { acl: "", scope: "site", forAdministrators: false },
  "second-factor.renew-codes": { acl: "", scope: "site", forAdministrators: false },
  "second-factor.remove": { acl: "", scope: "site", forAdministrators: false },
  "sign-in.mark": { acl: "", scope: "site", forAdministrators: false },
  "token.create": { acl: "", scope: "site", forAdministrators: false },
  "token.use": { acl: "", scope: "site", forAdministrators: false },
  "token.give-back": { acl: "", scope: "site", forAdministrators: false },
  "token.sweep": { acl: "", scope: "site", forAdministrators: false },
  "token.revoke": { acl: "user.update.password", scope: "tenant", also: ["owner"] },
  "unlock-code.create": { acl: "", scope: "site", forAdministrators: false },
  "unlock-code.use": { acl: "", scope: "site", forAdministrators: false },

  // By the broker, for a user whom auth has just proved.
  "web-session.begin": { acl: "", scope: "site", forAdministrators: false },

  "osf.create": { acl: "osf.create.", scope: "tenant" },
  "osf.delete": { acl: "osf.delete.", scope: "tenant" },
  "osf.change": { acl: "osf.update.memory", scope: "tenant" },

  "image.enrol": { acl: "di.create.", scope: "tenant" },
  "image.publish": { acl: "di.update.publish", scope: "tenant" },
  "image.retire": { acl: "di.update.publish", scope: "tenant" },
  "image.block": { acl: "di.update.block", scope: "tenant" },
  "image.unblock": { acl: "di.update.block", scope: "tenant" },
  "image.delete": { acl: "di.delete.", scope: "tenant" },
  "image.move-tag": { acl: "di.update.tags", scope: "tenant" },
  "image.remove-tag": { acl: "di.update.tags", scope: "tenant" },

  "vm.create": { acl: "vm.create.", scope: "tenant" },
  "vm.change": { acl: "vm.update.name", scope: "tenant" },
  // A desktop that keeps failing is blocked by its node.
  "vm.block": { acl: "vm.update.block", scope: "tenant", also: ["node"] },
  "vm.unblock": { acl: "vm.update.block", scope: "tenant" },
  "vm.delete": { acl: "vm.delete.", scope: "tenant" },
  "vm.wish-running": { acl: "vm.update.state", scope: "tenant", also: ["owner"] },
  // A desktop that is powered off from inside wishes itself stopped.
  "vm.wish-stopped": { acl: "vm.update.state", scope: "tenant", also: ["owner", "vm"] },
  // What its OSF says of it, carried out by its node.
  "vm.wish-stopped-by-policy": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "vm.clear-expiry": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  // The last act of a deletion, once nothing of the desktop is left on its box.
  "vm.purge": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "vm.place": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "vm.release": { acl: "", scope: "site", also: ["node"], forAdministrators: false },

  "session.request": { acl: "", scope: "tenant", also: ["owner"], forAdministrators: false },
  // At a screen that is somebody else's: of a machine, or of a session.
  "vm.open-console": { acl: "vm.spy.interactive", scope: "tenant" },
  "session.watch": { acl: "vm.spy.", scope: "tenant" },
  "session.control": { acl: "vm.spy.interactive", scope: "tenant" },
  "session.invite": { acl: "", scope: "tenant", also: ["owner"], forAdministrators: false },
  "session.admit": { acl: "", scope: "tenant", also: ["owner"], forAdministrators: false },
  "session.end-visit": { acl: "", scope: "tenant", also: ["owner"], forAdministrators: false },
  // By the broker, for whoever brought the ticket.
  "visit.begin": { acl: "", scope: "site", forAdministrators: false },
  "session.wish-end": { acl: "vm.update.disconnect-user", scope: "tenant", also: ["owner"] },

  // What a lost node had is given to others by whichever node sees it first.
  "node.take-over": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "node.set-shared": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "node.register": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "node.block": { acl: "host.update.block", scope: "site" },
  "node.unblock": { acl: "host.update.block", scope: "site" },
  "node.drain": { acl: "host.update.block", scope: "site" },
  "node.undrain": { acl: "host.update.block", scope: "site" },
  "node.end-stranger": { acl: "host.update.block", scope: "site" },
  "node.note-stranger-ended": { acl: "", scope: "site", also: ["node"], forAdministrators: false },
  "node.change": { acl: "host.update.name", scope: "site" },
  "node.remove": { acl: "host.delete.", scope: "site" },
  // By root of a box that belongs to the site already, who could read all that the new one is given.
  "node.invite": { acl: "", scope: "site", forAdministrators: false },
  // By whoever holds the code, which alone opens what is handed out.
  "node.hand-out-bundle": { acl: "", scope: "site", forAdministrators: false },

  "user.set-property": { acl: "user.update.properties", scope: "tenant" },
  "vm.set-property": { acl: "vm.update.properties", scope: "tenant" },
  "osf.set-property": { acl: "osf.update.properties", scope: "tenant" },
  "image.set-property": { acl: "di.update.properties", scope: "tenant" },
  "node.set-property": { acl: "host.update.properties", scope: "site" },
} as const satisfies Record<string, ActionRule>;

export type Action = keyof typeof ACTIONS;
