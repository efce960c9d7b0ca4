/**
 * What the server can't do for a page: keep distances in time current, tick all rows, show an upload's
 * progress, say when the live connection is lost. Every page works without it.
 */
(() => {
  const duration = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
    const days = Math.floor(seconds / 86400);
    return days === 1 ? "1 day" : `${days} days`;
  };

  const distance = (ms) => {
    const seconds = Math.round(ms / 1000);
    if (seconds < -60) return `in ${duration(-seconds)}`;
    return seconds < 5 ? "just now" : `${duration(seconds)} ago`;
  };

  const refreshTimes = () => {
    for (const time of document.querySelectorAll("time[data-distance]")) {
      const at = new Date(time.dateTime);
      const text = distance(Date.now() - at.getTime());
      if (time.textContent !== text) time.textContent = text;
      time.title = at.toLocaleString();
    }
  };
  refreshTimes();
  setInterval(refreshTimes, 10000);
  document.addEventListener("htmx:after:swap", (event) => {
    refreshTimes();
    // It also comes when an answer was not swapped in because of its status.
    if (!(event.detail?.ctx?.response?.status >= 400)) tell(undefined);
  });

  /** Says above the page what went wrong; undefined takes it back. */
  function tell(text) {
    const slot = document.querySelector(".notice-slot");
    const template = document.getElementById("trouble");
    if (!slot || !template) return;
    slot.querySelector("[data-trouble]")?.remove();
    if (text === undefined) return;
    const notice = template.content.firstElementChild.cloneNode(true);
    notice.dataset.trouble = "";
    notice.querySelector("[data-text]").textContent = text;
    slot.replaceChildren(notice);
  }

  document.addEventListener("htmx:response:error", (event) => {
    const answer = new DOMParser().parseFromString(event.detail.ctx.text ?? "", "text/html");
    const said = answer.querySelector("#main .empty p, #main .notice div")?.textContent;
    tell(said ?? `The server answered ${event.detail.ctx.response.status}.`);
  });
  document.addEventListener("htmx:error", () => tell("The server does not answer. Try again in a moment."));

  // The stream comes back by itself; what changed meanwhile is read then.
  let isStreamLost = false;
  document.addEventListener("htmx:sse:error", () => {
    isStreamLost = true;
    tell("Changes don't arrive at the moment; connecting again.");
  });
  document.addEventListener("htmx:sse:after:connection", (event) => {
    if (!isStreamLost) return;
    isStreamLost = false;
    tell(undefined);
    event.target.dispatchEvent(new Event(event.target.dataset.event));
  });

  document.addEventListener("change", (event) => {
    const all = event.target;
    if (!(all instanceof HTMLInputElement) || all.dataset.tickAll === undefined) return;
    for (const box of document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`))
      box.checked = all.checked;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
    const search = document.querySelector("input[type=search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.upload === undefined) return;
    event.preventDefault();
    upload(form);
  });

  const PART_BYTES = 32 * 1024 * 1024;
  const MOST_BREAKS = 8;

  /** Sends the chosen file in parts, so that progress is known and a connection that breaks costs one of them. */
  function upload(form) {
    const file = form.querySelector("input[type=file]").files[0];
    const progress = form.querySelector("progress");
    const said = form.querySelector("[data-said]");
    const button = form.querySelector("button[type=submit]");
    if (!file) return;
    const id = [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => (byte % 36).toString(36))
      .join("");
    const address = `${form.dataset.upload}&name=${encodeURIComponent(file.name)}&upload=${id}`;
    let sent = 0;
    let breaks = 0;
    progress.hidden = false;
    progress.max = file.size;
    button.disabled = true;
    said.className = "field-hint";
    const show = (bytes) => {
      progress.value = bytes;
      said.textContent = `${Math.floor((bytes / file.size) * 100)} % of ${file.name} sent`;
    };
    const fail = (text) => {
      button.disabled = false;
      progress.hidden = true;
      said.className = "field-error";
      said.textContent = text;
    };
    const ask = async () => {
      try {
        const answer = await fetch(address);
        if (answer.ok) sent = (await answer.json()).receivedBytes;
        send();
      } catch {
        // The server is still away.
        again();
      }
    };
    const again = () => {
      breaks++;
      if (breaks > MOST_BREAKS) return fail("The connection broke. Try again.");
      said.textContent = "The connection broke; going on in a moment.";
      setTimeout(ask, Math.min(15000, 500 * 2 ** breaks));
    };
    const send = () => {
      const end = Math.min(file.size, sent + PART_BYTES);
      const request = new XMLHttpRequest();
      request.open("PUT", address);
      request.setRequestHeader("X-CSRF-Token", form.querySelector("input[name=csrf]").value);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("Content-Range", `bytes ${sent}-${end - 1}/${file.size}`);
      request.upload.onprogress = (event) => show(sent + event.loaded);
      request.onerror = again;
      request.onload = () => {
        const answer = read(request.responseText);
        if (request.status === 201 && answer?.next) return location.assign(answer.next);
        if (request.status !== 202)
          return fail(sentence(answer?.error) ?? `The server answered ${request.status}.`);
        sent = answer.receivedBytes;
        breaks = 0;
        send();
      };
      request.send(file.slice(sent, end));
    };
    if (file.size === 0) return fail("The file is empty.");
    send();
  }

  /** As the pages' forms show it: without the field's name in front, as a sentence. */
  function sentence(error) {
    if (!error) return undefined;
    const prefix = `${error.field}: `;
    const text = error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?)]$/.test(text) ? "" : "."}`;
  }

  function read(text) {
    try {
      return JSON.parse(text);
    } catch {
      // A proxy's page instead of our JSON; the status is shown then.
      return undefined;
    }
  }
})();
