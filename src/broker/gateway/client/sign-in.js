/**
 * The sign-in page in a crowd: who is told to come again later is spared coming again. What was typed stays in the fields
 * that it was typed into, and nowhere else; whoever types on, or leaves, has ended it. Without scripts the form is a form.
 */

const MOST_TRIES = 60;

document.addEventListener("submit", (event) => {
  const waiting = document.getElementById("sign-in-waiting");
  if (event.target.id !== "sign-in" || waiting === null) return;
  event.preventDefault();
  void signIn(event.target, waiting);
});

async function signIn(form, waiting) {
  const button = form.querySelector("button[type=submit]");
  const stop = new AbortController();
  const onInput = () => stop.abort();
  form.addEventListener("input", onInput, { once: true });
  button.disabled = true;
  try {
    for (let tries = 1; !stop.signal.aborted; tries++) {
      const answer = await ask(form);
      // The browser says best itself what is wrong with the network.
      if (answer === undefined) return form.submit();
      const seconds = secondsToWait(form, answer);
      if (seconds === undefined || tries >= MOST_TRIES) return await show(form, answer);
      // Not all in step.
      await countDown(waiting, Math.ceil(seconds * (1 + Math.random() / 4)), stop.signal);
    }
  } finally {
    form.removeEventListener("input", onInput);
    waiting.hidden = true;
    button.disabled = false;
  }
}

/** Undefined when the answer is to be shown. A code is over by then, and would count as a wrong one. */
function secondsToWait(form, answer) {
  const seconds = Number(answer.headers.get("Retry-After"));
  const isLater = answer.status === 503 && seconds > 0;
  return isLater && form.querySelector("[name=code]") === null ? seconds : undefined;
}

async function ask(form) {
  try {
    // Where it leads is a page that may be good once, so it is not fetched here.
    return await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      redirect: "manual",
    });
  } catch {
    return undefined;
  }
}

async function countDown(waiting, seconds, signal) {
  for (let left = seconds; left > 0 && !signal.aborted; left--) {
    waiting.querySelector("output").value = `${left} s`;
    waiting.hidden = false;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
    });
  }
}

async function show(form, answer) {
  if (answer.type === "opaqueredirect") return location.assign(placeAfter(form));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main");
  if (main === null) return location.reload();
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  main.querySelector("[autofocus]")?.focus();
}

/** As the server reads it: a place of ours, or the list of desktops. */
function placeAfter(form) {
  const next = new URL(form.action).searchParams.get("next") ?? "/";
  const place = URL.canParse(next, location.origin) ? new URL(next, location.origin) : undefined;
  // Whole: a path alone may begin with two slashes here (`/.//host`), which is another site's.
  return place?.origin === location.origin ? place.href : "/";
}
