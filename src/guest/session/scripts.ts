/** The small scripts that run inside the desktop on our behalf. */

/**
 * nxagent asks a dialog program what to do when the person closes the window or presses Ctrl+Alt+T. The
 * answer is always "suspend", which is a SIGHUP to nxagent; the pull-down menu needs no answer. Of a session that is on
 * another server, nxagent is only a view, and ends.
 */
export const DIALOG_SCRIPT = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --dialog) [ "$2" = pulldown ] && exit 0 ;;
  esac
  shift
done
kill -"\${QVD_CLOSE_SIGNAL:-HUP}" "$PPID"
`;

/** What the session says in its server's log before anything else: from here on the person's programs run. */
export const SESSION_BEGINS = "qvd: the session begins";

/**
 * What xinit runs: the image's own session program, on a session bus; or, of an application, its program beside
 * whatever window manager there is, so that its windows can be moved and closed. The session ends with it. Its output goes to the usual file of
 * the home, apart from nxagent's log; a full home must not keep the session from starting. Where the image has no
 * printers of its own, programs print to the client's.
 */
export const SESSION_SCRIPT = `#!/bin/sh
echo '${SESSION_BEGINS}'
if [ -x /usr/sbin/cupsd ] && [ ! -S /run/cups/cups.sock ] && ! grep -qis '^[[:space:]]*ServerName[[:space:]]' /etc/cups/client.conf; then
  CUPS_SERVER=$XDG_RUNTIME_DIR/qvd-cups/cups.sock
  export CUPS_SERVER
fi
if [ -n "$QVD_PROGRAM" ]; then
  program=$QVD_PROGRAM
  unset QVD_PROGRAM
  if ( : >"$HOME/.xsession-errors" ) 2>/dev/null; then exec >"$HOME/.xsession-errors" 2>&1; else exec >/dev/null 2>&1; fi
  for manager in /etc/alternatives/x-window-manager openbox twm; do
    if command -v "$manager" >/dev/null; then "$manager" & break; fi
  done
  if command -v dbus-run-session >/dev/null; then exec dbus-run-session sh -c "$program"; fi
  exec sh -c "$program"
fi
if [ -x /etc/qvd/session ]; then
  if ( : >"$HOME/.xsession-errors" ) 2>/dev/null; then exec >"$HOME/.xsession-errors" 2>&1; else exec >/dev/null 2>&1; fi
  if command -v dbus-run-session >/dev/null; then exec dbus-run-session /etc/qvd/session; fi
  exec /etc/qvd/session
fi
if [ -x /etc/X11/Xsession ]; then
  for part in /etc/X11/Xsession.d/*dbus*; do
    [ -e "$part" ] && exec /etc/X11/Xsession
  done
  if command -v dbus-run-session >/dev/null; then exec dbus-run-session /etc/X11/Xsession; fi
  exec /etc/X11/Xsession
fi
echo "the image has neither /etc/qvd/session nor /etc/X11/Xsession" >&2
exit 1
`;

/**
 * nxagent starts it with a connection of the slave channel as standard input and output. The agent answers by
 * descriptor 3, and prints what takes the connection over. An answer would be lost if its end came before the
 * client's: the channel knows no half of a close.
 */
export function slaveScript(agent: string): string {
  return `#!/bin/sh
exec 3>&1
next=$('${agent}' guest slave) || exit 1
exec 3>&-
[ -n "$next" ] || exec timeout 2 cat >/dev/null
eval "exec $next"
`;
}

/** Lets the person power the desktop off from inside. */
export function powerOffScript(requestFile: string): string {
  return `#!/bin/sh
echo now >'${requestFile}'
`;
}
