/** A browser of the simplest kind, over real sockets, for the console. */
import http from "node:http";
import https from "node:https";

/** What was answered. */
export interface Page {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Asks one console, and keeps its cookie. */
export class ConsoleClient {
  readonly #port: number;
  readonly #host: string;
  readonly #isSecure: boolean;
  cookie = "";

  /** @param host As in the address bar, without the port */
  constructor(
    { port, host, isSecure }: { port: number; host: string; isSecure: boolean },
  ) {
    this.#port = port;
    this.#host = host;
    this.#isSecure = isSecure;
  }

  /** Its own origin. */
  get origin(): string {
    const scheme = this.#isSecure ? "https" : "http";
    return `${scheme}://${this.#host}:${this.#port}`;
  }

  /** Asks for a page. */
  get(path: string): Promise<Page> {
    return this.#ask("GET", path, { headers: {} });
  }

  /** Posts a form, as a page of this origin would. */
  post(path: string, fields: Record<string, string>): Promise<Page> {
    return this.#ask("POST", path, {
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        "sec-fetch-site": "same-origin",
        origin: this.origin,
      },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** The token in the forms of a page. */
  async csrf(): Promise<string> {
    const { text } = await this.get("/");
    return /name="csrf"\s+value="([^"]+)"/.exec(text)?.[1] ?? "";
  }

  /** Does something, and reads what the next page says came of it. */
  async act(
    path: string,
    fields: Record<string, string> = {},
  ): Promise<string> {
    const csrf = await this.csrf();
    const { status, headers } = await this.post(path, { csrf, ...fields });
    if (status !== 303) throw new Error(`${path}: ${status}`);
    const { text } = await this.get(headers.location ?? "/");
    return /role="status"[^>]*>([^<]*)</.exec(text)?.[1] ?? "";
  }

  #ask(
    method: string,
    path: string,
    { headers, body }: { headers: Record<string, string>; body?: string },
  ): Promise<Page> {
    const asked = {
      host: "127.0.0.1",
      port: this.#port,
      method,
      path,
      headers: {
        host: `${this.#host}:${this.#port}`,
        ...this.cookie === "" ? {} : { cookie: this.cookie },
        ...headers,
      },
      agent: false,
    } as const;
    return new Promise((resolve, reject) => {
      const heard = (answer: http.IncomingMessage) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (part) => text += part);
        answer.on("end", () => {
          this.#keep(answer.headers["set-cookie"]);
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            text,
          });
        });
      };
      const request = this.#isSecure
        ? https.request({
          ...asked,
          servername: this.#host,
          rejectUnauthorized: false,
        }, heard)
        : http.request(asked, heard);
      request.on("error", reject);
      request.end(body);
    });
  }

  #keep(cookies: readonly string[] | undefined): void {
    for (const cookie of cookies ?? []) {
      const isGone = cookie.includes("Max-Age=0");
      this.cookie = isGone ? "" : cookie.split(";")[0]!;
    }
  }
}
