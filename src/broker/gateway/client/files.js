/** The dialogue of files: sends some to the desktop, one after the other, and fetches those that lie there. */

const byId = (id) => document.getElementById(id);

export class Files {
  #base;
  #csrf;

  constructor({ desktop, csrf, onClose }) {
    this.#base = `/desktop/${desktop}/files`;
    this.#csrf = csrf;
    byId("files-open").addEventListener("click", () => {
      byId("files").showModal();
      this.#list().catch(() => this.#say("The connection was lost; try again."));
    });
    byId("files").addEventListener("close", onClose);
    byId("files-input").addEventListener("change", (event) => {
      const files = [...event.target.files];
      // Or the same one, chosen once more after it failed, were no change.
      event.target.value = "";
      this.#send(files).catch(() => this.#say("The connection was lost; try again."));
    });
  }

  async #send(files) {
    for (const file of files) {
      this.#say(`Sending ${file.name} …`);
      const query = new URLSearchParams({ name: file.name });
      const response = await fetch(`${this.#base}?${query}`, {
        method: "POST",
        headers: { "X-CSRF-Token": this.#csrf, Accept: "application/json" },
        body: file,
      });
      const body = await response.json();
      if (!response.ok) return this.#say(body.error.message);
      this.#say(`${body.name} is there.`);
    }
    await this.#list();
  }

  async #list() {
    const response = await fetch(this.#base, { headers: { Accept: "application/json" } });
    const body = await response.json();
    if (!response.ok) return this.#say(body.error.message);
    byId("files-list").replaceChildren(...body.files.map((file) => this.#entryOf(file)));
  }

  #entryOf({ name, bytes }) {
    const link = document.createElement("a");
    link.href = `${this.#base}/${encodeURIComponent(name)}`;
    link.download = name;
    link.textContent = name;
    const size = document.createElement("span");
    size.textContent = ` ${bytes.toLocaleString()} bytes`;
    const entry = document.createElement("li");
    entry.append(link, size);
    return entry;
  }

  #say(text) {
    byId("files-state").textContent = text;
  }
}
