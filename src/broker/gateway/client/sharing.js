/**
 * Who else sees the session: asks the person when somebody wants to, shows who does at all times, and ends it at a press.
 * What is decided here is only shown here; the gateway holds to it.
 */

const byId = (id) => document.getElementById(id);

export class Sharing {
  #say = () => {};
  #visits = [];
  /** Of the visit that the dialogue asks about. */
  #asked;

  constructor({ onClose }) {
    const [dialog, question] = [byId("sharing"), byId("question")];
    byId("share").addEventListener("click", () => dialog.showModal());
    for (const box of [dialog, question]) box.addEventListener("close", onClose);
    byId("invite-see").addEventListener("click", () => this.#say({ type: "invite", mayControl: false }));
    byId("invite-control").addEventListener("click", () => this.#say({ type: "invite", mayControl: true }));
    byId("invitation").addEventListener("focus", (event) => event.target.select());
    byId("question-yes").addEventListener("click", () => this.#answer("admit-visit"));
    byId("question-no").addEventListener("click", () => this.#answer("end-visit"));
    // Whoever puts the question away has not said yes.
    question.addEventListener("cancel", () => this.#answer("end-visit"));
  }

  /** `say` tells the gateway something. */
  attach(say) {
    this.#say = say;
    this.#asked = undefined;
    this.#visits = [];
    this.#render();
  }

  /** True when the message was about this. */
  take({ type, visits, path, text }) {
    if (type === "visits") {
      this.#visits = visits;
      this.#render();
    } else if (type === "invitation") this.#offer(path);
    else if (type === "not-done") byId("sharing-state").textContent = text;
    else return false;
    return true;
  }

  #offer(path) {
    byId("invitation-part").hidden = false;
    byId("invitation").value = `${location.origin}${path}`;
    byId("invitation").focus();
    byId("sharing-state").textContent = "Send them this link. It is good for one person, for ten minutes.";
  }

  #render() {
    const watching = this.#visits.filter(({ phase }) => phase === "watches");
    byId("watched").hidden = watching.length === 0;
    byId("watched-text").textContent = watching.map(describe).join("; ");
    byId("sharing-list").replaceChildren(...this.#visits.map((visit) => this.#entryOf(visit)));
    this.#ask(this.#visits.find(({ phase }) => phase === "asks"));
  }

  #ask(visit) {
    if (visit?.id === this.#asked?.id) return;
    this.#asked = visit;
    if (visit === undefined) return byId("question").close();
    byId("question-text").textContent = visit.mayControl
      ? `${visit.visitor} asks to see your desktop, and to work in it with you.`
      : `${visit.visitor} asks to see your desktop.`;
    byId("question").showModal();
  }

  #answer(type) {
    if (this.#asked !== undefined) this.#say({ type, id: this.#asked.id });
    byId("question").close();
  }

  #entryOf(visit) {
    const end = document.createElement("button");
    end.type = "button";
    end.className = "button button-small";
    end.textContent = visit.phase === "invited" ? "Withdraw" : "End";
    end.addEventListener("click", () => this.#say({ type: "end-visit", id: visit.id }));
    const entry = document.createElement("li");
    entry.append(describe(visit), " ", end);
    return entry;
  }
}

function describe({ phase, visitor, mayControl }) {
  const what = mayControl ? "sees and controls" : "sees";
  if (phase === "invited") return mayControl ? "An invitation to control" : "An invitation to see";
  return phase === "asks" ? `${visitor} asks` : `${visitor} ${what} this desktop`;
}
