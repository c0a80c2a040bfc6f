/**
 * Requests over HTTP with bounds: on redirects and where they lead, on waiting, and on the whole time. Nothing here
 * depends on `fetch` heeding its signal: Node 20 collects a signal made by `AbortSignal.any` or `AbortSignal.timeout`,
 * and with it the limit, once only `fetch` knows of it.
 */

/** An answer that asking again will not change. */
export class Refused extends Error {}

/** What a request runs with. */
export interface RequestOptions {
  signal: AbortSignal;
  headers: Readonly<Record<string, string>>;
  /** In ms: within each span of this length some data must come, at least {@link leastRate}. */
  stallTime: number;
  /** The most time, in ms, that request and answer may take together; by default as long as data come. */
  wholeTime?: number;
}

/** The head of an answer, and its body. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Where it came from, redirects followed. */
  url: string;
  chunks(): AsyncGenerator<Uint8Array, void>;
}

/** Bytes a second; a connection that brings less, over the whole of a stall time, counts as dead. */
const leastRate = 1000;

const mostRedirects = 5;

/**
 * Asks for an address and has `handle` take the answer; whatever `handle` leaves of the body is dropped.
 *
 * @throws Refused for an address, or a redirect to one, that is not to be asked.
 */
export async function request<T>(
  address: string,
  options: RequestOptions,
  handle: (answer: Answer) => Promise<T>,
): Promise<T> {
  const patience = new Patience(options);
  let response: Response | undefined;
  try {
    let url = address;
    for (let redirects = 0; ; redirects++) {
      // By hand: an address in the middle may lead from https to http and back.
      const asked = fetch(url, { headers: options.headers, redirect: 'manual', signal: patience.signal });
      response = await patience.during(asked);
      const location = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) break;
      if (redirects === mostRedirects) throw new Refused(`more than ${mostRedirects} redirects`);
      drop(response);
      url = redirected(location, url);
    }
    const { status, headers } = response;
    const body = response.body as ReadableStream<Uint8Array> | null;
    return await handle({ status, headers, url, chunks: () => chunksOf(body, patience) });
  } finally {
    if (response !== undefined) drop(response);
    patience.end();
  }
}

/** Whether following a link or redirect would give up encryption. Within this machine nobody listens. */
export function isDowngrade(from: string, to: string): boolean {
  const target = new URL(to);
  const local = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(target.hostname);
  return new URL(from).protocol === 'https:' && target.protocol !== 'https:' && !local;
}

/** Whether the address can be asked over HTTP; `fetch` takes `data:` as well. */
export function isHttp(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}

function redirected(location: string, from: string): string {
  const url = URL.canParse(location, from) ? new URL(location, from).href : '';
  if (!isHttp(url)) throw new Refused(`redirected to ${location}, which is no address of HTTP`);
  if (isDowngrade(from, url)) throw new Refused(`redirected to ${url}, which is not encrypted`);
  return url;
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  patience: Patience,
): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await patience.during(reader.read());
      if (done) return;
      patience.received(value.length);
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

/** Closes the connection if there is more to come. */
function drop(response: Response): void {
  if (response.body !== null && !response.body.locked) response.body.cancel().catch(() => {});
}

/** Ends the waiting for an answer: when the user interrupts, when too little comes, when all of it takes too long. */
class Patience {
  readonly #controller = new AbortController();
  readonly #options: RequestOptions;
  readonly #stall: NodeJS.Timeout;
  readonly #whole: NodeJS.Timeout | undefined;
  #bytes = 0;
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(options: RequestOptions) {
    this.#options = options;
    const { signal, stallTime, wholeTime } = options;
    this.#stall = setInterval(() => this.#look(), stallTime);
    if (wholeTime !== undefined) {
      this.#whole = setTimeout(() => this.#stop(new Error(`not done after ${wholeTime / 1000} s`)), wholeTime);
    }
    if (signal.aborted) this.#interrupt();
    else signal.addEventListener('abort', this.#interrupt, { once: true });
  }

  /** For `fetch`, so that it closes its connection. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The outcome of the work, or why it was not waited for any longer. One piece of work at a time. */
  during<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      work.then(resolve, reject);
      if (this.signal.aborted) reject(this.signal.reason);
    });
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Call it when the answer is taken, or is not wanted. */
  end(): void {
    clearInterval(this.#stall);
    clearTimeout(this.#whole);
    this.#options.signal.removeEventListener('abort', this.#interrupt);
    this.#controller.abort();
  }

  readonly #interrupt = (): void => this.#stop(this.#options.signal.reason);

  #look(): void {
    const { stallTime } = this.#options;
    if (this.#bytes === 0) this.#stop(new Error(`no data for ${stallTime / 1000} s`));
    else if (this.#bytes < (leastRate * stallTime) / 1000) {
      this.#stop(new Error(`only ${this.#bytes} bytes in ${stallTime / 1000} s`));
    }
    this.#bytes = 0;
  }

  #stop(reason: unknown): void {
    this.#controller.abort(reason);
    this.#giveUp?.(reason);
  }
}
