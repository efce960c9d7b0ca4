/** What shows a session to its person, in words. */
export const ACCESS_TEXTS = { nx: "NX client", browser: "browser", console: "console" } as const;
