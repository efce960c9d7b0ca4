import { expect, test } from "bun:test";
import { summariseLog } from "./start-container.ts";

const LOG = `lxc-start 1 20261121151816.338 WARN     cgfsng - ../src/lxc/cgroups/cgfsng.c:cgfsng_setup_limits_legacy:2944 - Invalid argument - Ignoring legacy cgroup limits on pure cgroup2 system
lxc-start 1 20261121151816.338 ERROR    cgfsng - ../src/lxc/cgroups/cgfsng.c:cgfsng_setup_limits:3248 - No such file or directory - Failed to set "memory.max" to "128M"
lxc-start 1 20261121151816.338 ERROR    start - ../src/lxc/start.c:lxc_spawn:1796 - Failed to setup cgroup limits for container "1"
`;

test("of LXC's log people are told the errors, cause first", () => {
  expect(summariseLog(LOG)).toBe(
    'No such file or directory - Failed to set "memory.max" to "128M"; Failed to setup cgroup limits for container "1"',
  );
  expect(summariseLog("")).toBe("");
});
