import type { RequestHead } from "../../wire/client/request-head.ts";
import { type Endpoint, reply } from "../request.ts";
import { authenticateUser } from "./authenticate-user.ts";
import { connectToVm } from "./connect-to-vm.ts";
import { createAuthToken } from "./create-auth-token.ts";
import { giveBackAuthToken } from "./give-back-auth-token.ts";
import { listOfApplications, listOfVm } from "./list-of-vm.ts";
import { ping } from "./ping.ts";
import { relay } from "./relay.ts";
import { relayProof } from "./relay-proof.ts";
import { sessionState } from "./session-state.ts";
import { stopVm } from "./stop-vm.ts";

export type Route = {
  readonly answer: Endpoint;
  /** Any final answer closes the connection, also one that tells of a failure. */
  readonly isLastWord: boolean;
  /** Leads to a pipe, which is of no use to whoever has ended its own direction. */
  readonly needsBothWays: boolean;
};

/** An answer that a client can still read after its last request. */
const talk = (answer: Endpoint): Route => ({ answer, isLastWord: false, needsBothWays: false });

const notFound: Endpoint = async () => reply({ status: 404 });

/** Every endpoint of the QVD port; method and path must match exactly. */
export function findEndpoint({ method, path }: RequestHead): Route {
  if (method !== "GET") return talk(notFound);
  switch (path) {
    case "/qvd/ping":
      return talk(ping);
    case "/qvd/list_of_vm":
      return talk(listOfVm);
    case "/qvd/list_of_applications":
      return talk(listOfApplications);
    case "/qvd/connect_to_vm":
      return { answer: connectToVm, isLastWord: true, needsBothWays: true };
    case "/qvd/relay":
      return { answer: relay, isLastWord: true, needsBothWays: true };
    case "/qvd/relay_proof":
      return talk(relayProof);
    case "/qvd/authenticate_user":
      return talk(authenticateUser);
    case "/qvd/create_auth_token":
      return talk(createAuthToken);
    case "/qvd/give_back_auth_token":
      return talk(giveBackAuthToken);
    case "/qvd/session_state":
      return talk(sessionState);
    case "/qvd/stop_vm":
      return talk(stopVm);
    default:
      return talk(notFound);
  }
}
