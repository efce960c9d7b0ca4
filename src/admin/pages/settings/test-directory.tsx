/** GET and POST /settings/directory/test: what each server of a directory says, step by step. */

import type { Handler } from "hono";
import { isAppError } from "../../../lib/errors.ts";
import { SubmitButton } from "../../../ui/button.tsx";
import { Card } from "../../../ui/card.tsx";
import { TextField } from "../../../ui/field.tsx";
import { PostForm } from "../../../ui/form.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { askDirectoryTest, type TestedDirectory } from "../../auth-administration.ts";
import type { AdminDeps } from "../../deps.ts";
import type { AdminContext, AdminEnv } from "../../env.ts";
import { capitalize, readForm } from "../../form.ts";
import { renderPage } from "../../render.tsx";
import { readScope, requireSettingsRight, type SettingScope } from "../../setting-scope.ts";
import { Narrow } from "../../ui/narrow.tsx";
import { PageHead } from "../../ui/page-head.tsx";
import { scopeQuery, settingsPath } from "./parts.ts";

export function showTestDirectory(deps: AdminDeps): Handler<AdminEnv> {
  return async function showForm(c) {
    return render(c, { scope: await readScope(deps, c, c.req.query("tenant")), login: "" });
  };
}

export function testDirectoryPage(deps: AdminDeps): Handler<AdminEnv> {
  return async function executeTest(c) {
    const scope = await readScope(deps, c, c.req.query("tenant"));
    requireSettingsRight(c, scope);
    const { login = "" } = await readForm(c);
    try {
      return render(c, { scope, login, servers: await askDirectoryTest(deps, c, { scope, login }) });
    } catch (error) {
      if (!isAppError(error)) throw error;
      return render(c, { scope, login, failure: capitalize(error.message) });
    }
  };
}

type TestView = {
  readonly scope: SettingScope;
  readonly login: string;
  readonly servers?: TestedDirectory;
  readonly failure?: string;
};

function render(c: AdminContext, view: TestView) {
  const { scope, login, servers = [], failure } = view;
  return renderPage(
    c,
    { title: "Test this directory", section: "settings" },
    <Narrow>
      <PageHead
        title="Test this directory"
        lead="Connects with the settings as they are saved, signs in as who searches, and looks somebody up. No password of theirs is needed."
        back={{ href: settingsPath("sign-in", scope), text: "Settings" }}
      />
      <div class="stack">
        {failure === undefined ? null : <Notice tone="bad">{failure}</Notice>}
        {servers.map(({ name, steps }) => (
          <Card title={name}>
            <div class="stack">
              {steps.map(({ what, isGood, text }) => (
                <Notice tone={isGood ? "good" : "bad"}>
                  <strong>{what}.</strong> {text}
                </Notice>
              ))}
            </div>
          </Card>
        ))}
        <Card>
          <PostForm
            action={`/settings/directory/test${scopeQuery(scope)}`}
            csrf={c.get("signedIn").csrfToken}
          >
            <TextField
              name="login"
              label="Login"
              value={login}
              hint="As somebody would type it. Empty tries the connection alone."
              isFirst
            />
            <div class="actions">
              <SubmitButton label="Test" kind="main" />
            </div>
          </PostForm>
        </Card>
      </div>
    </Narrow>,
  );
}
