/** Where the agent's things lie inside the desktop. All of it is made anew at each boot. */

import { dirname } from "node:path";

export type GuestPlaces = {
  /** The node's socket, in a folder bound from the host. */
  readonly socket: string;
  /** What the node has the desktop do first, in the same folder; often missing. */
  readonly orderAhead: string;
  /** What init lets the agent wait at while the session begins; anything written to it ends that. */
  readonly gate: string;
  /** Which of the desktop's lives this is; a container's node writes it. */
  readonly incarnation: string;
  /** Says that this boot has seen to it. */
  readonly orderTaken: string;
  /** Root's; others may only look in, so that nothing in it can be replaced by the session's user. */
  readonly folder: string;
  /** Pid of what init has begun a session by. */
  readonly early: string;
  readonly boot: string;
  readonly record: string;
  readonly log: string;
  /** As the two above, of the nxagent that shows another server's session to an NX client. */
  readonly shadowRecord: string;
  readonly shadowLog: string;
  readonly options: string;
  /** nxagent writes its state here: a file of the user in a folder of root. */
  readonly state: string;
  /** What viewers of Xvnc prove to know; a file of the session's user, whose program reads it, in a folder of root. */
  readonly screenPassword: string;
  readonly dialog: string;
  readonly sessionStart: string;
  /** Anything written into it asks for power-off; belongs to the session's user. */
  readonly powerOffRequest: string;
  /** Asked by what locks the screen; belongs to the session's user. */
  readonly unlock: string;
  /** Which channels the session has, for an agent to come. */
  readonly channels: string;
  /** Of the session's user; proves a client on the slave channel. */
  readonly slaveKey: string;
  /** What nxagent starts for each connection of the slave channel. */
  readonly slave: string;
  /** Tells init that the desktop shall go down. */
  readonly powerOff: string;
};

export function guestPlaces(folder = "/run/qvd-guest", socket = "/run/qvd/guest.sock"): GuestPlaces {
  return {
    socket,
    orderAhead: `${dirname(socket)}/order`,
    gate: `${dirname(socket)}/gate`,
    incarnation: `${dirname(socket)}/incarnation`,
    orderTaken: `${folder}/order-taken`,
    folder,
    early: `${folder}/early`,
    boot: `${folder}/boot`,
    record: `${folder}/session.json`,
    log: `${folder}/session.log`,
    shadowRecord: `${folder}/shadow.json`,
    shadowLog: `${folder}/shadow.log`,
    options: `${folder}/nxagent.options`,
    state: `${folder}/nxagent.state`,
    screenPassword: `${folder}/screen-password`,
    dialog: `${folder}/nx-dialog`,
    sessionStart: `${folder}/session-start`,
    powerOffRequest: `${folder}/power-off-request`,
    unlock: `${folder}/unlock`,
    channels: `${folder}/channels.json`,
    slaveKey: `${folder}/slave-key`,
    slave: `${folder}/nx-slave`,
    powerOff: `${folder}/power-off`,
  };
}
