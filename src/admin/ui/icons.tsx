/** The kit is shared with the pages of users: `src/ui`. */
export * from "../../ui/icons.tsx";
