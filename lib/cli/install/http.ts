/**
 * HTTP requests with limits on redirects, on stalls and on the total time. Nothing here relies on `fetch` obeying its
 * signal: Node 20 garbage-collects a signal made by `AbortSignal.any` or `AbortSignal.timeout`, and the limit with it,
 * once only `fetch` refers to it.
 */

/** A failure that a retry would not change. */
export class Refused extends Error {}

/** Options of {@link request}. */
export interface RequestOptions {
  signal: AbortSignal;
  headers: Readonly<Record<string, string>>;
  /** In ms: data must arrive at {@link minRate} or more in each interval of this length. */
  stallTime: number;
  /** Time limit for request and response together, in ms. Default: none while data arrive. */
  wholeTime?: number;
}

/** A response: status, headers and body. */
export interface Answer {
  status: number;
  headers: Headers;
  /** Its address after redirects. */
  url: string;
  chunks(): AsyncGenerator<Uint8Array, void>;
}

/** In bytes per second; a connection slower than this for a whole stall time counts as dead. */
const minRate = 1000;

const maxRedirects = 5;

/**
 * Requests an address and passes the response to `handle`; the part of the body that `handle` does not read is dropped.
 *
 * @throws Refused for a redirect that must not be followed.
 */
export async function request<T>(
  address: string,
  options: RequestOptions,
  handle: (answer: Answer) => Promise<T>,
): Promise<T> {
  const timeouts = new Timeouts(options);
  let response: Response | undefined;
  try {
    let url = address;
    for (let redirects = 0; ; redirects++) {
      // Redirects are followed here, because one in the middle may lead from https to http and back.
      const asked = fetch(url, { headers: options.headers, redirect: 'manual', signal: timeouts.signal });
      response = await timeouts.waitFor(asked);
      const location = response.headers.get('location');
      if (![301, 302, 303, 307, 308].includes(response.status) || location === null) break;
      if (redirects === maxRedirects) throw new Refused(`more than ${maxRedirects} redirects`);
      drop(response);
      url = redirected(location, url);
    }
    const { status, headers } = response;
    const body = response.body as ReadableStream<Uint8Array> | null;
    return await handle({ status, headers, url, chunks: () => chunksOf(body, timeouts) });
  } finally {
    if (response !== undefined) drop(response);
    timeouts.end();
  }
}

/** Whether following a link or redirect would lose encryption. Loopback addresses are safe without it. */
export function isDowngrade(from: string, to: string): boolean {
  const target = new URL(to);
  const local = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(target.hostname);
  return new URL(from).protocol === 'https:' && target.protocol !== 'https:' && !local;
}

/** Whether an address uses HTTP or HTTPS; `fetch` also accepts `data:`. */
export function isHttp(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}

function redirected(location: string, from: string): string {
  const url = URL.canParse(location, from) ? new URL(location, from).href : '';
  if (!isHttp(url)) throw new Refused(`redirected to ${location}, which is not an HTTP address`);
  if (isDowngrade(from, url)) throw new Refused(`redirected to ${url}, which is not encrypted`);
  return url;
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  timeouts: Timeouts,
): AsyncGenerator<Uint8Array, void> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await timeouts.waitFor(reader.read());
      if (done) return;
      timeouts.received(value.length);
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
    reader.releaseLock();
  }
}

/** Closes the connection if the body was not read to its end. */
function drop(response: Response): void {
  if (response.body !== null && !response.body.locked) response.body.cancel().catch(() => {});
}

/** Aborts a request that the user interrupts, that stalls, or that exceeds its time limit. */
class Timeouts {
  readonly #controller = new AbortController();
  readonly #options: RequestOptions;
  readonly #stall: NodeJS.Timeout;
  readonly #whole: NodeJS.Timeout | undefined;
  #bytes = 0;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(options: RequestOptions) {
    this.#options = options;
    const { signal, stallTime, wholeTime } = options;
    this.#stall = setInterval(() => this.#checkRate(), stallTime);
    if (wholeTime !== undefined) {
      this.#whole = setTimeout(() => this.#abort(new Error(`not done after ${wholeTime / 1000} s`)), wholeTime);
    }
    if (signal.aborted) this.#interrupt();
    else signal.addEventListener('abort', this.#interrupt, { once: true });
  }

  /** For `fetch`, so that it closes its connection. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Settles as the work does, or rejects when the request is aborted. Only for one promise at a time. */
  waitFor<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
      if (this.signal.aborted) reject(this.signal.reason);
    });
  }

  received(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Call it when the response has been read or dropped. */
  end(): void {
    clearInterval(this.#stall);
    clearTimeout(this.#whole);
    this.#options.signal.removeEventListener('abort', this.#interrupt);
    this.#controller.abort();
  }

  readonly #interrupt = (): void => this.#abort(this.#options.signal.reason);

  #checkRate(): void {
    const { stallTime } = this.#options;
    if (this.#bytes === 0) this.#abort(new Error(`no data for ${stallTime / 1000} s`));
    else if (this.#bytes < (minRate * stallTime) / 1000) {
      this.#abort(new Error(`only ${this.#bytes} bytes in ${stallTime / 1000} s`));
    }
    this.#bytes = 0;
  }

  #abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#reject?.(reason);
  }
}
