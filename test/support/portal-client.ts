/** A browser as the gateway meets it, without one: cookies, forms, and the WebSocket of a page. */

export type PortalAnswer = {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  readonly headers: Headers;
};

export type AskOptions = {
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
};

const TLS = { tls: { rejectUnauthorized: false } };

export class PortalClient {
  readonly #port: number;
  readonly cookies = new Map<string, string>();

  constructor(port: number) {
    this.#port = port;
  }

  get origin(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async ask(path: string, { form, headers = {}, method }: AskOptions = {}): Promise<PortalAnswer> {
    const response = await fetch(`${this.origin}${path}`, {
      ...TLS,
      method: method ?? (form === undefined ? "GET" : "POST"),
      redirect: "manual",
      headers: { Cookie: this.cookie, ...(form === undefined ? {} : { Origin: this.origin }), ...headers },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = line.split(";")[0]?.split("=") ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const location = response.headers.get("Location");
    return { status: response.status, text: await response.text(), location, headers: response.headers };
  }

  /** Fills in the form of the sign-in page. */
  async signIn(login: string, password: string): Promise<PortalAnswer> {
    const csrf = fieldOf((await this.ask("/sign-in")).text, "csrf");
    return this.ask("/sign-in", { form: { csrf, login, password } });
  }

  /** As the page does. */
  async ticket(id: number): Promise<string> {
    const answer = await this.askTicket(id);
    if (answer.status !== 200) throw new Error(`no ticket: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text).ticket;
  }

  async askTicket(id: number): Promise<PortalAnswer> {
    const page = await this.ask(`/desktop/${id}`);
    const csrf = /data-csrf="([^"]+)"/.exec(page.text)?.[1] ?? "";
    return this.ask(`/desktop/${id}/ticket`, {
      method: "POST",
      headers: { "X-CSRF-Token": csrf, Origin: this.origin, Accept: "application/json" },
    });
  }

  socket(id: number, ticket: string, headers: Readonly<Record<string, string>> = {}): PortalSocket {
    return this.#open(`${id}/ws?ticket=${ticket}&width=800&height=600`, headers);
  }

  /** The socket of `sound` or `microphone`. */
  soundSocket(id: number, kind: string, { ticket, as = "" }: { ticket: string; as?: string }): PortalSocket {
    return this.#open(`${id}/${kind}?ticket=${ticket}&as=${as}`, {});
  }

  #open(place: string, headers: Readonly<Record<string, string>>): PortalSocket {
    const address = `wss://127.0.0.1:${this.#port}/desktop/${place}`;
    return new PortalSocket(address, { Cookie: this.cookie, Origin: this.origin, ...headers });
  }
}

export class PortalSocket {
  readonly messages: { readonly type: string; readonly text?: string; readonly cause?: string }[] = [];
  receivedBytes = 0;
  /** Binary messages. */
  receivedFrames = 0;
  isOpen = false;
  isClosed = false;
  readonly socket: WebSocket;

  constructor(address: string, headers: Readonly<Record<string, string>>) {
    // Bun's own options: a browser sends these headers by itself.
    this.socket = Reflect.construct(WebSocket, [address, { headers, tls: { rejectUnauthorized: false } }]);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.isOpen = true;
    };
    this.socket.onclose = () => {
      this.isClosed = true;
    };
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.messages.push(JSON.parse(data));
      else {
        this.receivedBytes += data.byteLength;
        this.receivedFrames += 1;
      }
    };
  }

  has(type: string): boolean {
    return this.messages.some((message) => message.type === type);
  }

  close(): void {
    this.socket.close();
  }
}

export function fieldOf(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";
}
