import { findStrangerFault } from "../relay/box-proof.ts";
import { findChannelFault, formatChannelAnswer } from "../relay/channel-proof.ts";
import { type Endpoint, replyAndClose } from "../request.ts";

/**
 * A broker of another box, which was shown a certificate of another authority, asks whether this is a box of its site; it proves
 * that it is one itself. Strangers are told that there is nothing here.
 */
export const relayProof: Endpoint = async ({ identity, log }, { head, clientAddress, readChannelKey }) => {
  if (identity === undefined) return replyAndClose({ status: 404 });
  const refuse = (reason: string) => {
    log.warn("relay-refused", { from: clientAddress, reason });
    return replyAndClose({ status: 404 });
  };
  const stranger = findStrangerFault(identity.authority, head.headers);
  if (stranger !== undefined) return refuse(stranger);
  const key = readChannelKey();
  const fault = findChannelFault(identity.authority, { side: "asks", key }, head.headers);
  if (fault !== undefined) return refuse(fault);
  const body = formatChannelAnswer(identity, key);
  return {
    kind: "answer",
    answer: { status: 200, type: "application/json", body },
    isLast: false,
    expectsMore: true,
  };
};
