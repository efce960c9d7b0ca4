/**
 * Sends one file with its progress shown. It is the one form that needs the page's script: a browser's own
 * file form would hold the whole file back until it has all of it, and say nothing meanwhile.
 */

import type { PropsWithChildren } from "hono/jsx";
import { SubmitButton } from "../../ui/button.tsx";
import { CSRF_FIELD } from "../../ui/form.tsx";

export function UploadForm(props: PropsWithChildren<{ readonly action: string; readonly csrf: string }>) {
  return (
    <form class="form" method="post" action="/images/upload" data-upload={props.action}>
      <input type="hidden" name={CSRF_FIELD} value={props.csrf} />
      {props.children}
      <progress hidden max="100" value="0" aria-label="Upload" />
      <p class="field-hint" data-said role="status" />
      <noscript>
        <p class="field-hint">
          Sending from the browser needs JavaScript. Without it: <code>qvd image add FILE --osf NAME</code>.
        </p>
      </noscript>
      <div class="actions">
        <SubmitButton label="Send the file" icon="upload" />
      </div>
    </form>
  );
}
