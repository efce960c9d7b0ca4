/** Shared with the pages of users: `src/ui`. */
export * from "../ui/http-status.ts";
