/**
 * A session's start as a shell script, for the init of a desktop that is started because somebody waits for it: nxagent
 * comes up while the agent does, which takes it over (`adopt-early-start.ts`). It does only the usual case, of an account
 * that is new over a home that is there, in an image without hooks; in any other it ends before it has changed anything,
 * and the agent does it all, at once. Pure; the node leaves it beside the guest channel.
 */

import { accountLines } from "../account-lines.ts";
import { channelOptions, planChannels } from "../peripherals/plan-channels.ts";
import { type GuestPlaces, guestPlaces } from "../places.ts";
import { planLaunch } from "./launch.ts";
import { formatOptionsLine } from "./options-line.ts";
import type { PrepareOrder } from "./order.ts";
import { SESSION_SCRIPT, slaveScript } from "./scripts.ts";

/** Bound into each container by its node. */
const AGENT = "/opt/qvd/qvd";

/** Undefined where the agent must do it. */
export function renderOrderScript(
  order: Omit<PrepareOrder, "type" | "order">,
  places: GuestPlaces = guestPlaces(),
): string | undefined {
  const { account, client, access = "nx", parameters = {}, program } = order;
  const { login, uid } = account;
  const isUsual = /^[a-z_][a-z0-9_.-]{0,31}$/.test(login) && access === "nx";
  if (!isUsual || parameters["qvd.vm.user.home"] !== undefined) return undefined;
  const plan = planChannels(client);
  const channels = channelOptions(plan);
  const options = formatOptionsLine({ client, accept: order.accept, stateFile: places.state, channels });
  if (options === undefined) return undefined;
  const home = `/home/${login}`;
  const zone = client.given?.["qvd.client.timezone"];
  const first = `${places.folder}/session-first`;
  const owned = [
    `/run/user/${uid}`,
    places.state,
    places.powerOffRequest,
    ...(plan.isSharing ? [places.slaveKey] : []),
  ];
  return `trap 'if [ -p ${places.gate} ]; then echo >${places.gate}; fi' EXIT
home=${quote(home)}
[ -d "$home" ] && [ ! -L "$home" ] && [ ! -e /etc/qvd/vma.conf ] && [ ! -e /etc/qvd/hooks ] || exit 0
[ ! -e /run/user/${uid} ] && [ ! -e /tmp/.X11-unix ] && [ ! -e /tmp/.ICE-unix ] || exit 0
${checkAccounts(login, uid)}shell=/bin/sh
if [ -e /bin/bash ]; then shell=/bin/bash; fi
${READ_LANG}mkdir -p -m 700 /run/user/${uid} &
beside=$!
mkdir -m 1777 /tmp/.X11-unix /tmp/.ICE-unix || exit 0
wait "$beside" || exit 0
umask 077
: >${places.state}
: >${places.powerOffRequest}
${plan.isSharing ? `printf %s ${quote(order.slaveKey)} >${places.slaveKey} || exit 0\n` : ""}chown ${uid}:${uid} ${owned.join(" ")} &
beside=$!
umask 022
printf %s ${quote(options)} >${places.options} || exit 0
${plan.isSharing ? renderSlave(places) : ""}printf %s ${quote(SESSION_SCRIPT)} >${first} || exit 0
wait "$beside" || exit 0
${renderAccount(account, home)}${zone === undefined ? "" : renderZone(zone)}${renderStart(places, { account, gid: uid, home, shell: "", program }, first)}`;
}

/**
 * Of an account of the same name or number, and of a file without a last line end, which one program finds: it puts a line
 * between the files, after an empty one where the file before ends as it should. A number that stands elsewhere in a line counts as well.
 */
function checkAccounts(login: string, uid: number): string {
  return `files=$(exec tail -v -n +1 /etc/passwd /etc/group /etc/shadow /etc/gshadow /dev/null 2>/dev/null)
line='
'
case "$files" in *[!"$line"]"$line==> "* | *"\${line}${login}:"*) exit 0 ;; esac
case "\${files%%"$line==> /etc/shadow"*}" in "==> /etc/passwd"*:${uid}:*) exit 0 ;; "==> /etc/passwd"*) ;; *) exit 0 ;; esac
`;
}

/** As `readLang` does. */
const READ_LANG = `lang=
if [ -r /etc/default/locale ]; then
  while IFS== read -r key value; do
    if [ "$key" = LANG ]; then value=\${value#\\"} lang=\${value%\\"}; fi
  done </etc/default/locale
fi
case $lang in "" | *[!A-Za-z0-9_.@-]*) lang=C.UTF-8 ;; esac
`;

/** With the last line the account is there, and whole. */
function renderAccount(account: PrepareOrder["account"], home: string): string {
  const lines = accountLines({ ...account, home, shell: "" });
  const add = (file: string, line: string) =>
    `if [ -e /etc/${file} ]; then printf '%s\\n' ${line} >>/etc/${file} || exit 0; fi\n`;
  const { gshadow, group, shadow, passwd } = lines;
  return [
    add("gshadow", quote(gshadow)),
    add("group", quote(group)),
    add("shadow", quote(shadow)),
    // Its last field.
    add("passwd", `${quote(passwd)}"$shell"`),
  ].join("");
}

/** A client may offer its folders before the agent has put in place what serves them. */
function renderSlave({ slave }: GuestPlaces): string {
  return `printf %s ${quote(slaveScript(AGENT))} >${slave} && chmod 755 ${slave} || exit 0\n`;
}

function renderZone(zone: string): string {
  if (zone.includes("..")) return "";
  const file = quote(`/usr/share/zoneinfo/${zone}`);
  return `if [ -f ${file} ]; then ln -sfn ${file} /etc/localtime && echo ${quote(zone)} >/etc/timezone; fi\n`;
}

function renderStart(places: GuestPlaces, input: Parameters<typeof planLaunch>[0], first: string): string {
  const { command, env } = planLaunch(input, places, "");
  const drop = command.slice(0, command.indexOf("xinit"));
  const server = command.slice(command.indexOf("--"));
  const values = { ...env, SHELL: undefined, LANG: undefined };
  const words = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [quote(`${name}=${value}`)],
  );
  const start = [...drop, "sh", "-c", 'cd "$HOME" && [ -O . ] && exec "$@"', "sh"];
  const xinit = ["xinit", "/bin/sh", first, ...server];
  return `exec env -i ${words.join(" ")} SHELL="$shell" LANG="$lang" setsid ${[...start, ...xinit].map(quote).join(" ")}\n`;
}

/** As one word of the shell's. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
