import { isAppError } from "../../lib/errors.ts";
import { findPlace, keepToken, signIn } from "../api-client.ts";
import type { Command } from "../command.ts";
import { positional } from "./arguments.ts";
import { readPassword } from "./read-password.ts";

export const adminSignIn: Command = {
  name: "admin sign-in",
  summary: "Sign in as an administrator, for the commands that change things.",
  positionals: ["LOGIN"],
  details:
    "The password is prompted for, or read from stdin where there is no terminal. The token is kept in ~/.config/qvd/token. " +
    "QVD_API_URL names the server (default https://localhost:9443), QVD_API_CA the authority to trust.",
  examples: ["qvd admin sign-in admin", "qvd admin sign-in admin@acme < password-file"],
  async run(io, args) {
    const login = positional(args, 0, "LOGIN");
    const place = await findPlace(io.env);
    const password = await readPassword(io, `Password of ${login} at ${place.url}: `);
    const token = await signIn(place, { login, password }).catch(async (error: unknown) => {
      if (!isAppError(error) || error.field !== "code" || !io.isTerminal) throw error;
      const code = await readPassword(io, "Code of your authenticator app: ");
      return await signIn(place, { login, password, code });
    });
    const file = await keepToken(io.env, place, token);
    io.err(`signed in as ${login} at ${place.url}; the token is in ${file}\n`);
    return 0;
  },
};
