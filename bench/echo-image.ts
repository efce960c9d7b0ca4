/**
 * The desktop's image with an echo in nxagent's place: it says to our agent what nxagent says, and sends every
 * byte of its one client back. So a session's round trip can be timed without a picture on either side.
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { runOk } from "../src/lib/run.ts";

const LONG_MS = 300_000;

/** Returns the new archive's path, in `folder`. */
export async function makeEchoImage(archive: string, folder: string): Promise<string> {
  const parts = `${folder}/echo-parts`;
  const made = `${folder}/echo.tar`;
  mkdirSync(`${parts}/usr/bin`, { recursive: true });
  writeFileSync(`${parts}/usr/bin/xinit`, XINIT, { mode: 0o755 });
  writeFileSync(`${parts}/usr/bin/nxagent`, NXAGENT, { mode: 0o755 });
  const slow = { timeoutMs: LONG_MS };
  await runOk("unpacking the image", ["zstd", "-q", "-d", "-f", "-o", made, archive], slow);
  for (const name of ["xinit", "nxagent"]) {
    const path = `./usr/bin/${name}`;
    await runOk("taking out", ["tar", "--delete", "-f", made, path], slow);
    const owner = ["--owner=0", "--group=0", "--numeric-owner"];
    await runOk("putting in", ["tar", "--append", "-f", made, "-C", parts, ...owner, path], slow);
  }
  rmSync(parts, { recursive: true });
  return made;
}

const XINIT = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
`;

const NXAGENT = `#!/usr/bin/perl
use strict; use warnings; use IO::Socket::INET; use Socket qw(TCP_NODELAY IPPROTO_TCP);
$| = 1;
my ($options) = join(" ", @ARGV) =~ m{options=([^: ]+):};
open(my $in, "<", $options) or die "no options: $!";
my ($state) = (join("", <$in>) =~ m{state=([^,:\\s]+)});
sub go { open(my $out, ">", $state) or die; print $out $_[0]; close $out; }
$SIG{TERM} = sub { print "Session: Terminating session at 'now'.\\nSession: Session terminated at 'now'.\\n"; exit 0 };
$SIG{HUP} = "IGNORE";
my $server = IO::Socket::INET->new(LocalPort => 4100, Listen => 1, ReuseAddr => 1) or die "no port: $!";
print "NXAGENT - Version 3.5.99.26\\nInfo: Agent running with pid '$$'.\\nSession: Starting session at 'now'.\\n";
go("STARTING");
print "Info: Waiting for connection from 'anybody' on socket 'tcp:*:4100'.\\n";
my $client = $server->accept;
setsockopt($client, IPPROTO_TCP, TCP_NODELAY, 1);
print "Session: Session started at 'now'.\\n";
go("RUNNING");
while (sysread($client, my $bytes, 65536)) { syswrite($client, $bytes); }
print "Session: Terminating session at 'now'.\\nSession: Session terminated at 'now'.\\n";
`;
