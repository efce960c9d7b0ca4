/** What is said to one directory over one connection: binds and searches, with their outcomes as values. */

import { Client, type Entry, ResultCodeError, type SearchOptions } from "ldapts";
import type { DirectoryServer } from "./directory-settings.ts";
import { type OpenOptions, openConnection } from "./open-connection.ts";

/**
 * `refused`: the directory looked at the password. `text` is its own, such as Active Directory's "data 532", and empty where
 * it said nothing: the library's words and result code are never put in its place, since a site may let people in by it.
 */
export type BindOutcome =
  | { readonly outcome: "done" }
  | { readonly outcome: "refused"; readonly code: number; readonly text: string };

export type DirectorySession = {
  /** Resolves when it has answered in LDAP, whatever it said: an open port is no directory yet. */
  greet(): Promise<void>;
  /** Rejects when the directory can't answer, and for an empty password, which many take for nobody's and accept. */
  bind(dn: string, password: string): Promise<BindOutcome>;
  search(base: string, options: SearchOptions): Promise<readonly Entry[]>;
  close(): void;
};

/** Codes by which a server says that it can't at the moment, or not so; all others are about the person. */
const NOT_ABOUT_THE_PERSON: ReadonlySet<number> = new Set([1, 2, 3, 7, 8, 10, 11, 12, 13, 14, 51, 52, 80]);

export async function openSession(server: DirectoryServer, options: OpenOptions): Promise<DirectorySession> {
  const socket = await openConnection(server, options);
  let isGiven = false;
  // Once: the library would open a lost connection again, and not as we did.
  const give = () => {
    if (isGiven) throw new Error("the directory closed the connection");
    isGiven = true;
    return socket;
  };
  const client = new Client({
    url: "ldap://socket",
    createConnection: give as never,
    strictDN: false,
  });
  const lost = Promise.withResolvers<never>();
  // Nobody may be waiting for it.
  lost.promise.catch(() => {});
  socket.once("close", () =>
    lost.reject(
      new Error(options.signal.aborted ? "it took too long to answer" : "it closed the connection"),
    ),
  );
  const answered = <T>(work: Promise<T>) => Promise.race([work, lost.promise]);
  return {
    async greet() {
      try {
        // The root's own entry, which every directory has (RFC 4512 §5.1), without an attribute of it.
        await answered(client.search("", { scope: "base", filter: "(objectClass=*)", attributes: ["1.1"] }));
      } catch (error) {
        // Many show it to nobody who isn't signed in, and saying so is an answer.
        if (!(error instanceof ResultCodeError)) throw error;
      }
    },
    async bind(dn, password) {
      if (password === "") throw new Error("an empty password is never sent to a directory");
      try {
        await answered(client.bind(dn, password));
        return { outcome: "done" };
      } catch (error) {
        if (!(error instanceof ResultCodeError) || NOT_ABOUT_THE_PERSON.has(error.code)) throw error;
        return { outcome: "refused", code: error.code, text: error.diagnosticMessage ?? "" };
      }
    },
    async search(base, search) {
      const { searchEntries } = await answered(client.search(base, search));
      return searchEntries;
    },
    close: () => socket.destroy(),
  };
}
