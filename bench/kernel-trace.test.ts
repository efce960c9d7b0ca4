import { expect, test } from "bun:test";
import { parseTrace } from "./kernel-trace.ts";
import { formatEvents } from "./timeline.ts";

const TRACE = `# tracer: nop
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
             bun-3129    [000] ...1.   100.000100: tracing_mark_write: the round begins
        postgres-5538    [001] .....   100.001100: sys_recvfrom -> 0x1f
        postgres-5538    [001] .....   100.002100: sys_sendto(fd: 9, buff: 0x55, len: 12, flags: 0, addr: 0x0, addr_len: 0)
        postgres-5538    [001] .....   100.003100: sys_fdatasync(fd: 4)
        postgres-5538    [001] .....   100.004100: sys_fdatasync -> 0x0
     lxc-start-b-157     [000] .....   100.005100: sched_process_exec: filename=/usr/bin/lxc-start pid=157 old_pid=157
         nxagent-160     [001] ..s1.   100.006100: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=4100 dport=0 saddr=0.0.0.0 newstate=TCP_LISTEN
         nxagent-160     [001] .....   100.007100: something_else: x=1
`;

test("a round is told with what the kernel saw, each at its moment since it began", () => {
  const lines = formatEvents(parseTrace(TRACE)).split("\n");
  expect(lines.map((line) => line.replace(/\s+/g, " ").trim())).toEqual([
    "0.0 +0.0 bun 3129 the round begins",
    "1.0 +1.0 postgres 5538 is told",
    "2.0 +1.0 postgres 5538 answers",
    "3.0 +1.0 postgres 5538 waits for the disk",
    "4.0 +1.0 postgres 5538 disk has written",
    "5.0 +1.0 lxc-start-b 157 runs /usr/bin/lxc-start",
    "6.0 +1.0 nxagent 160 listens at 4100",
  ]);
});
