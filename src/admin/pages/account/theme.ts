import type { Handler } from "hono";
import { BACK_FIELD } from "../../../ui/form.tsx";
import { writeTheme } from "../../cookies.ts";
import type { AdminEnv } from "../../env.ts";
import { readForm } from "../../form.ts";
import { localPath } from "../../redirect.ts";

/** POST /theme: light, dark, or as the system says. */
export function changeTheme(): Handler<AdminEnv> {
  return async function writeChoice(c) {
    const values = await readForm(c);
    const { theme } = values;
    writeTheme(c, theme === "light" || theme === "dark" ? theme : "auto");
    return c.redirect(localPath(values[BACK_FIELD], "/"), 303);
  };
}
