import { VmShape } from "../../admin/api/shapes.ts";
import { findUser, listAll } from "../admin/find.ts";
import { yesNo } from "../admin/print.ts";
import { showCommand } from "../admin/show-command.ts";

export const userShow = showCommand({
  name: "user show",
  summary: "Show a user and their desktops.",
  positional: "USER",
  details: "USER is an id, a login, or login@tenant.",
  examples: ["qvd user show ann", "qvd user show 7 --json"],
  find: async (api, text) => {
    const user = await findUser(api, text);
    return {
      ...user,
      vms: await listAll(api, "/vms", VmShape, new URLSearchParams({ user: String(user.id) })),
    };
  },
  facts: (user) => [
    ["id", String(user.id)],
    ["login", user.login],
    ["tenant", user.tenant],
    ["name", user.fullName],
    ["blocked", yesNo(user.isBlocked)],
    ["created", user.createdAt],
    ["desktops", user.vms.map((vm) => `${vm.name} (${vm.state})`).join(", ")],
  ],
});
