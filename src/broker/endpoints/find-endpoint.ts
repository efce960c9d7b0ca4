import type { RequestHead } from "../../wire/client/request-head.ts";
import { type Endpoint, reply } from "../request.ts";
import { connectToVm } from "./connect-to-vm.ts";
import { listOfVm } from "./list-of-vm.ts";
import { ping } from "./ping.ts";
import { stopVm } from "./stop-vm.ts";

export type Route = {
  readonly answer: Endpoint;
  /** Any final answer closes the connection, also one that tells of a failure. */
  readonly isLastWord: boolean;
};

const notFound: Endpoint = async () => reply({ status: 404 });

/** Every endpoint of the QVD port; method and path must match exactly. */
export function findEndpoint({ method, path }: RequestHead): Route {
  if (method !== "GET") return { answer: notFound, isLastWord: false };
  switch (path) {
    case "/qvd/ping":
      return { answer: ping, isLastWord: false };
    case "/qvd/list_of_vm":
      return { answer: listOfVm, isLastWord: false };
    case "/qvd/connect_to_vm":
      return { answer: connectToVm, isLastWord: true };
    case "/qvd/stop_vm":
      return { answer: stopVm, isLastWord: false };
    default:
      return { answer: notFound, isLastWord: false };
  }
}
