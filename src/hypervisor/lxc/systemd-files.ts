/**
 * What a desktop whose image brings systemd as its init is given for it: our agent as a unit, and less to do at boot
 * and at the end. All of it is bound read-only below /run, so nothing of it stays in the image. Pure.
 */

export type SystemdFile = {
  /** Name among the files of the container on the host. */
  readonly name: string;
  /** Where in the desktop, without the leading slash. */
  readonly target: string;
  readonly text: string;
};

export type SystemdOptions = {
  readonly hostName: string;
  readonly resolvers: readonly string[];
  readonly searchDomain: string;
};

export const SYSTEMD_INIT = "/sbin/init";
/** SIGRTMIN+3 stops units first, SIGRTMIN+13 doesn't wait for them (systemd(1)); they have no names in JavaScript. */
export const SYSTEMD_SIGNALS = { halt: 37, haltAtOnce: 47 } as const;

/** The machine's matters, which a container can't do and shouldn't try: an empty unit is a masked one. */
export const MASKED_UNITS: readonly string[] = [
  "sys-kernel-debug.mount",
  "sys-kernel-tracing.mount",
  "sys-kernel-config.mount",
  "sys-fs-fuse-connections.mount",
  "dev-hugepages.mount",
  "systemd-udevd.service",
  "systemd-networkd-wait-online.service",
  "console-getty.service",
].map((unit) => `run/systemd/system/${unit}`);

export function systemdFiles(options: SystemdOptions): readonly SystemdFile[] {
  return [
    { name: "agent.service", target: "run/systemd/system/qvd-agent.service", text: renderUnit(options) },
    {
      name: "agent-wanted.conf",
      target: "run/systemd/system/multi-user.target.d/qvd.conf",
      text: "[Unit]\nWants=qvd-agent.service\n",
    },
    {
      name: "manager.conf",
      target: "run/systemd/system.conf.d/qvd.conf",
      // What ignores TERM gets KILL after these, as in a desktop without systemd.
      text: "[Manager]\nDefaultTimeoutStopSec=5s\nShowStatus=no\n",
    },
  ];
}

function renderUnit({ hostName, resolvers, searchDomain }: SystemdOptions): string {
  return `[Unit]
Description=QVD agent
After=systemd-tmpfiles-setup.service dbus.socket
StartLimitIntervalSec=0

[Service]
Environment=HOME=/root
Environment=BUN_JSC_useJIT=0
Environment=BUN_GC_TIMER_INTERVAL=10000
Environment=QVD_HOST_NAME=${hostName}
Environment="QVD_RESOLVERS=${resolvers.join(" ")}"
Environment=QVD_SEARCH_DOMAIN=${searchDomain}
ExecStartPre=/bin/sh /opt/qvd/init prepare
ExecStart=/opt/qvd/qvd guest run
# Somebody inside asked systemd to power off: the node is to hear that it was no crash. What the host asks for is a halt.
ExecStop=-/bin/sh -c 'systemctl list-jobs --no-legend | grep -q poweroff.target && echo off >/run/qvd-guest/power-off-request && sleep 1'
# The agent ends so when the host asked it to power off.
ExecStopPost=-/bin/sh -c '[ "$$EXIT_STATUS" != 80 ] || systemctl --no-block halt'
Restart=always
RestartSec=300ms
# The session outlives the agent, and the next agent finds it again.
KillMode=process
TasksMax=infinity
OOMPolicy=continue
StandardOutput=append:/var/log/qvd-agent.log
StandardError=inherit
`;
}
